"""Stage 11: the broken pipeline, repaired fault by fault, and the patterns that find the faults in a log."""

import io
import random
from dataclasses import dataclass

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from labkit.grading import Unmet, expect

from . import fault_log
from . import pipeline_pictures as pictures
from . import role_questions as ask
from .deployment import ROLE_S
from .role_probe import RoleProbe

POLICY = "role-policy.json"
# What function.json has when the learner gets it. It is enough: the faults are elsewhere.
MOST_MB, MOST_S = 512, 10
# Far less than two of the photographs sent one after the other, and more than memory wavers by.
MOST_GROWTH_MB = 60
# 24 megapixels, as today's cameras have: 72 MB as an image in memory, and a small file.
LARGE = (6000, 4000)


@dataclass(frozen=True)
class Settings:
    """function.json."""

    handler: str
    memory: int
    timeout: int


@pytest.fixture(scope="module")
def settings(workspace):
    """function.json, read. The function itself never gets more than MOST_MB and MOST_S."""
    found = workspace.json("function.json")
    kinds = {"Handler": str, "MemorySize": int, "Timeout": int}
    for name, kind in kinds.items():
        value = found.get(name) if isinstance(found, dict) else None
        expect(
            type(value) is kind,
            tried=f"read {name} in function.json",
            expected={str: "a text such as app.handler", int: "a whole number"}[kind],
            seen=repr(value),
        )
    return Settings(found["Handler"], found["MemorySize"], found["Timeout"])


@pytest.fixture(scope="module")
def places(deployment):
    """The pipeline's buckets, one that is no part of it, and the log group."""
    made = ask.Places(
        source=deployment.bucket("source"),
        destination=deployment.bucket("destination"),
        other=deployment.bucket("other"),
        group=f"/aws/lambda/{deployment.name('pipeline')}",
        deployment=deployment,
    )
    deployment.client("s3").put_object(Bucket=made.source, Key="raw/a/b c.jpg", Body=b"1")
    return made


@pytest.fixture(scope="module")
def deploy(deployment, workspace, settings, places, pillow_layer):
    """Make a function of the learner's app.py and function.json, under a role."""

    def make(word, role):
        try:
            return deployment.function(
                word, {"app.py": workspace.text("app.py")}, handler=settings.handler, role=role,
                layers=[pillow_layer], environment={"DEST_BUCKET": places.destination},
                memory=min(settings.memory, MOST_MB), timeout=min(settings.timeout, MOST_S),
            )  # fmt: skip
        except ClientError as error:
            seen = error.response["Error"]["Message"]
            raise Unmet(
                tried="created a function as function.json says",
                expected="Lambda to accept it",
                seen=seen,
            ) from None

    return make


@pytest.fixture(scope="module")
def resizer(deployment, deploy, places):
    """The learner's function under a role that is known to be right: so each fault is seen by itself."""
    s3 = f"arn:{deployment.partition}:s3:::"
    allow = [
        {"Effect": "Allow", "Action": action, "Resource": resource}
        for action, resource in (
            ("s3:GetObject", f"{s3}{places.source}/raw/*"),
            ("s3:PutObject", f"{s3}{places.destination}/thumbnails/*"),
            ("logs:*", "*"),
        )
    ]
    policy = {"Version": "2012-10-17", "Statement": allow}
    return deploy("resizer", deployment.role("resizer", policy))


@pytest.fixture(scope="module")
def role(deployment, workspace, places):
    """A role with the learner's policy, and a function under it that tries things."""
    deployment.client("logs").create_log_group(logGroupName=places.group)
    deployment.client("logs").create_log_group(logGroupName=places.other_group)
    text = deployment.fill(
        workspace.text(POLICY), SourceBucket=places.source,
        DestinationBucket=places.destination, LogGroup=places.group,
    )  # fmt: skip
    left = ask.unfilled(text)
    expect(
        not left,
        tried=f"filled the placeholders of {POLICY}",
        expected="those of the file as you got it, and no others",
        seen=f"{left} as well",
    )
    yield RoleProbe(deployment, "role", workspace.json(POLICY, text), POLICY)
    for group in (places.group, places.other_group):
        deployment.client("logs").delete_log_group(logGroupName=group)


def photograph(rng):
    """A picture by chance as a function of its size, and its average colour."""
    flat, bands = rng.sample(range(40, 200, 5), 2), [0, 1, 2]
    rng.shuffle(bands)
    gradient = Image.linear_gradient("L")
    if rng.random() < 0.5:
        gradient = gradient.transpose(Image.Transpose.ROTATE_180)

    def made(size):
        parts = (gradient.resize(size), *(Image.new("L", size, value) for value in flat))
        return Image.merge("RGB", [parts[band] for band in bands])

    values = (127, *flat)
    return made, tuple(values[band] for band in bands)


@pytest.mark.check(points=2, section="3 · The import error", timeout=60)
def check_starts(deployment, resizer, places, rng):
    """The function starts: its module can be imported, and an event without records does nothing."""
    answer = deployment.invoke(resizer, {})
    expect(
        answer.error is None,
        tried="invoked the function with an event that has no records",
        expected="no error",
        seen=answer.problem,
    )
    name = f"small-{rng.randrange(10**6)}.jpg"
    picture = pictures.jpeg(Image.new("RGB", (60, 40), "teal"))
    pictures.upload(deployment, places, f"raw/{name}", picture)
    tried = f"sent an event of raw/{name}, a photograph of 60 x 40 pixels"
    answer = deployment.invoke(resizer, pictures.event(places, f"raw/{name}"))
    # Where it has to lie, and what it has to be, is for other checks: it may be a place that is refused.
    there = deployment.client("s3").list_objects_v2(Bucket=places.destination).get("Contents", [])
    expect(
        any(name in each["Key"] for each in there) or "AccessDenied" in answer.problem,
        tried=tried,
        expected="a thumbnail of it in the destination bucket",
        seen=answer.problem or "there is none: an empty function starts, too",
        log=answer.log,
    )


@pytest.mark.check(points=3, section="4 · The permission error", timeout=60)
def check_role_allows_the_work(role, places):
    """The role may read below raw/, write below thumbnails/ in the destination, and write its log."""
    role.may(
        places.get("raw/a/b c.jpg", "an object below raw/ of the source bucket"),
        places.put("thumbnails/a/b c.jpg", "an object below thumbnails/ of the destination"),
        *places.log(places.group, "stream", "the function's log group"),
    )


@pytest.mark.check(
    points=2, section="4 · The permission error", needs=("check_role_allows_the_work",), timeout=60
)
def check_role_allows_nothing_more(role, places):
    """The role may do nothing else: s3:* is no repair."""
    role.may_not(places.source_calls(), places.source_questions())
    role.may_not(places.destination_calls(), places.destination_questions())
    role.may_not(
        places.log(places.other_group, "theirs", "the log group of another function"),
        places.log_questions(),
    )
    role.may_not(places.other_calls(), places.other_questions())


@pytest.mark.check(points=1, section="9 · Your turn", needs=("check_starts",))
def check_promises_hold(deployment, resizer, places, rng):
    """What app.py's first lines promise still holds: size, place, upright, average colour, every record."""
    long, short = rng.randrange(350, 500), rng.randrange(200, 300)
    sizes = {
        "raw/1 é.jpg": (long, short),
        "raw/2 é.jpg": (short, long),
        "raw/grey é.jpg": (long, short),
    }
    colours = {key: tuple(rng.randrange(30, 220) for _ in "RGB") for key in sizes}
    colours["raw/grey é.jpg"] = (rng.randrange(30, 220),) * 3
    for key, size in sizes.items():
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was held upright: turn it by 90 degrees
        image = Image.new("RGB", size, colours[key]).convert("L" if "grey" in key else "RGB")
        pictures.upload(deployment, places, key, pictures.jpeg(image, exif=exif))
    answer = deployment.invoke(resizer, pictures.event(places, *sizes))
    tried = "sent one event with three photographs that were taken upright, the last of them grey"
    answer.must_work(tried, "no error")
    for key, (width, height) in sizes.items():
        pictures.expect_thumbnail(
            deployment, places, key, (height, width), colours[key], tried, answer.log
        )


@pytest.mark.check(points=1, section="3 · The import error", needs=("check_promises_hold",))
def check_failures_are_seen(deployment, resizer, places):
    """What goes wrong still fails: an object that is not there is an error, not a silence."""
    answer = deployment.invoke(resizer, pictures.event(places, "raw/not-there.jpg"))
    expect(
        answer.error is not None,
        tried="sent an event about an object that is not there",
        expected="the invocation to fail, so that somebody hears of it",
        seen="no error; an exception that is swallowed is a fault that nobody finds",
        log=answer.log,
    )


@pytest.mark.check(points=3, section="5 · The timeout", needs=("check_starts",))
def check_large_photograph(deployment, resizer, places, settings, rng):
    """A photograph of 24 megapixels is done within 10 seconds and 512 MB."""
    expect(
        settings.timeout <= MOST_S,
        tried="read Timeout in function.json",
        expected=f"at most {MOST_S} seconds: the fault is in the code",
        seen=f"{settings.timeout} seconds",
    )
    key, (picture, colour) = "raw/large.jpg", photograph(rng)
    pictures.upload(deployment, places, key, pictures.jpeg(picture(LARGE)))
    answer = deployment.invoke(resizer, pictures.event(places, key))
    tried = f"sent a photograph of {LARGE[0]} x {LARGE[1]} pixels"
    answer.must_work(tried, "no error")
    pictures.expect_thumbnail(deployment, places, key, LARGE, colour, tried, answer.log)
    pictures.expect_shown(deployment, places, key, picture((LARGE[0] // 10, LARGE[1] // 10)), tried)


@pytest.mark.check(points=2, section="6 · Out of memory", needs=("check_large_photograph",))
def check_many_photographs(deployment, resizer, places, settings):
    """Photograph after photograph, the function needs no more memory: it keeps none of them."""
    expect(
        settings.memory <= MOST_MB,
        tried="read MemorySize in function.json",
        expected=f"at most {MOST_MB} MB: the fault is in the code",
        seen=f"{settings.memory} MB",
    )
    image, used = io.BytesIO(), []
    # A PNG, which no library can read at an eighth of its size: 36 MB as an image in memory.
    Image.new("RGB", (4000, 3000), "teal").save(image, "PNG", compress_level=1)
    for number in range(5):
        key = f"raw/many-{number}.png"
        pictures.upload(deployment, places, key, image.getvalue())
        answer = deployment.invoke(resizer, pictures.event(places, key))
        tried = f"sent {number + 1} photographs of 4000 x 3000 pixels, each in an event of its own"
        answer.must_work(tried, "no error")
        used.append(answer.reported("Max Memory Used"))
    expect(
        used[-1] - used[1] <= MOST_GROWTH_MB,
        tried=tried,
        expected="Max Memory Used to stay about where it is after the second",
        seen=f"it climbs: {', '.join(f'{mb:.0f}' for mb in used)} MB",
    )


@pytest.mark.check(
    points=2,
    section="9 · Your turn",
    needs=("check_promises_hold", "check_role_allows_the_work"),
    timeout=60,
)
def check_pipeline(deployment, deploy, role, places, rng):
    """The whole pipeline works with your role: an upload to raw/ becomes a thumbnail."""
    name = deploy("pipeline", role.role)
    functions, s3 = deployment.client("lambda"), deployment.client("s3")
    arn = functions.get_function_configuration(FunctionName=name)["FunctionArn"]
    functions.add_permission(
        FunctionName=name, StatementId="uploads", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceAccount=deployment.account,
        SourceArn=f"arn:{deployment.partition}:s3:::{places.source}",
    )  # fmt: skip
    rule = {"FilterRules": [{"Name": "prefix", "Value": "raw/trip "}]}
    wanted = {
        "LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": rule},
    }  # fmt: skip
    s3.put_bucket_notification_configuration(
        Bucket=places.source, NotificationConfiguration={"LambdaFunctionConfigurations": [wanted]}
    )
    size, colour = (rng.randrange(200, 400), 150), tuple(rng.randrange(30, 220) for _ in "RGB")
    key = f"raw/trip {rng.randrange(1000)}.jpg"
    pictures.upload(deployment, places, key, pictures.jpeg(Image.new("RGB", size, colour)))

    def written():
        found = s3.list_objects_v2(Bucket=places.destination, Prefix=pictures.target(key))
        return found.get("Contents")

    tried = f"uploaded {key} to the source bucket, and waited for its thumbnail"
    try:
        deployment.wait_for(written, ROLE_S)
    except Unmet:
        raise Unmet(
            tried=tried,
            expected=pictures.target(key),
            seen="it did not come",
            log=_log(deployment, name),
        ) from None
    pictures.expect_thumbnail(deployment, places, key, size, colour, tried, ())


@pytest.fixture(scope="module")
def log(deployment, seed):
    """A log group with the four faults: the group's name, and its events."""
    logs, group = deployment.client("logs"), f"/lab/{deployment.name('faults')}"
    events = fault_log.events(random.Random(f"{seed} faults"))
    logs.create_log_group(logGroupName=group)
    fault_log.put(logs, group, events)
    deployment.wait_for(lambda: len(fault_log.find(logs, group, "")) >= len(events), ROLE_S)
    yield group, events
    logs.delete_log_group(logGroupName=group)


@pytest.mark.check(points=1, section="7 · Filter patterns")
def check_filter_import(deployment, workspace, log):
    """filters.json: "import" finds the import errors in a log, and nothing else."""
    _check_filter(deployment, workspace, log, "import")


@pytest.mark.check(points=1, section="7 · Filter patterns")
def check_filter_permission(deployment, workspace, log):
    """filters.json: "permission" finds what the role was refused, and nothing else."""
    _check_filter(deployment, workspace, log, "permission")


@pytest.mark.check(points=1, section="7 · Filter patterns")
def check_filter_timeout(deployment, workspace, log):
    """filters.json: "timeout" finds the invocations that ran out of time, and nothing else."""
    _check_filter(deployment, workspace, log, "timeout")


@pytest.mark.check(points=1, section="7 · Filter patterns")
def check_filter_memory(deployment, workspace, log):
    """filters.json: "memory" finds the invocations that ran out of memory, and nothing else."""
    _check_filter(deployment, workspace, log, "memory")


def _check_filter(deployment, workspace, log, fault):
    group, events = log
    patterns = workspace.json("filters.json")
    pattern = patterns.get(fault) if isinstance(patterns, dict) else None
    expect(
        isinstance(pattern, str) and pattern.strip(),
        tried=f'read "{fault}" in filters.json',
        expected="a filter pattern, as a text",
        seen=repr(pattern),
    )
    tried = f"searched a log of {len(events)} events with the pattern {pattern}"
    try:
        found = fault_log.find(deployment.client("logs"), group, pattern)
    except ClientError as error:
        expect(
            False, tried=tried, expected="a pattern that CloudWatch Logs accepts",
            seen=error.response["Error"]["Message"],
        )  # fmt: skip
    may = {event.message.strip() for event in events if event.fault == fault}
    for message in found:
        expect(
            message.strip() in may,
            tried=tried,
            expected=f"only events of the fault {fault}",
            seen=f"it also found: {fault_log.short(message)}",
        )
    for event in events:
        expect(
            event.fault != fault
            or not event.must
            or event.message.strip() in map(str.strip, found),
            tried=tried,
            expected=f"every event of the fault {fault}",
            seen=f"it did not find: {fault_log.short(event.message)}",
        )


def _log(deployment, name):
    """The last lines of a function's log."""
    try:
        return "".join(
            fault_log.find(deployment.client("logs"), f"/aws/lambda/{name}", "")
        ).splitlines()[-20:]
    except ClientError:
        return ["no log: may the role write to it?"]
