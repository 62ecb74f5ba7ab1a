"""Stage 13: the album, used as pages use it: uploads, thumbnails, alternative texts, announcements."""

import io
import random
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import ExifTags, Image

from labkit import packages, thumbnails
from labkit.grading import Unmet, expect
from labkit.grading.pictures import show

from .album import SOURCES, Album, function_zip
from .album_roles import connection_questions, photo_questions, upload_questions
from .other_rights import expect_no_other_rights
from .played_model import PlayedModel
from .role_probe import expect_nothing_allowed
from .web_calls import send

# Not the template's default: whoever has written that into photos.py is found out.
MODEL = "amazon.nova-lite-v1:0"
LONGEST = 200
MOST_TOKENS = 300
HEARD_S = 20
# $connect is over before a page is let in, $disconnect comes after it has left.
ENTERED_S = 3
STALE_PAGES = 3
FUNCTIONS = ("UploadFunction", "PhotoFunction", "ConnectionFunction")
LARGEST_BYTES = 10 * 1024 * 1024
# What POST /uploads is asked for, its answer's status, and how that differs from a JPEG "n" of one byte.
ASKED = (
    ("a name of one letter, and one byte", 201, {"size": 1}),
    ("a name of 200 letters", 201, {"name": "n" * 200}),
    ("10 MB", 201, {"size": LARGEST_BYTES}),
    *((f"a picture of {kind}", 201, {"content_type": kind})
      for kind in ("image/png", "image/gif", "image/webp")),
    ("a text, where an object is wanted", 400, {}),
    ("an upload without a name", 400, {"name": None}),
    ("a number as the name", 400, {"name": 7}),
    ("an empty name", 400, {"name": ""}),
    ("a name of 201 letters", 400, {"name": "n" * 201}),
    ("a name with a slash", 400, {"name": "a/n"}),
    ("a page of text/html", 400, {"content_type": "text/html"}),
    ("a text as the size", 400, {"size": "1"}),
    ("no byte at all", 400, {"size": 0}),
    ("10 MB and one byte", 400, {"size": LARGEST_BYTES + 1}),
)  # fmt: skip


# What the model says, or why it says nothing.
WAYS = {
    "throttled": {"error": "ThrottlingException"},
    "denied": {"error": "AccessDeniedException"},
    "guarded": {
        "stopReason": "guardrail_intervened",
        "texts": ["Sorry, the model cannot answer this question."],
    },
    "filtered": {"stopReason": "content_filtered", "texts": ["I can't say more about"]},
    "blank": {"stopReason": "end_turn", "texts": [" \n "]},
    "empty": {"stopReason": "end_turn", "texts": []},
    "long": {
        "stopReason": "max_tokens",
        "texts": ["  " + "Many words,\nand then\n\nmore words. " * 20],
    },
}
OTHERS = ("blue", "red", "plain", "late")
# Nobody listens there, in a function as anywhere else.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def names(seed):
    """The files' names by what the model says about them, which no name tells."""
    rng = random.Random(f"{seed} names")
    return {word: f"photo-{rng.getrandbits(48):012x}.jpg" for word in (*WAYS, *OTHERS)}


@pytest.fixture(scope="module")
def sentence(seed):
    """What the model says where it says something plain."""
    return f"What the model says, number {random.Random(f'{seed} sentence').randrange(10**6)}."


@pytest.fixture(scope="module")
def model(deployment, names, sentence):
    """A model that plays these parts."""
    plain = {"stopReason": "end_turn", "texts": [sentence]}
    made = PlayedModel(deployment, {name: WAYS.get(word, plain) for word, name in names.items()})
    yield made
    made.remove()


@pytest.fixture(scope="module")
def album(deployment, workspace, model):
    """The learner's template as a stack, which asks that model."""
    bucket, s3 = deployment.bucket("parts"), deployment.client("s3")
    files = {name: workspace.bytes(name) for name in SOURCES}
    template = workspace.text("template.yaml")
    s3.put_object(Bucket=bucket, Key="functions.zip", Body=function_zip(files))
    s3.put_object(Bucket=bucket, Key="pillow-layer.zip", Body=packages.pillow_layer_zip())
    parameters = {
        "ArtifactBucket": bucket,
        "FunctionKey": "functions.zip",
        "LayerKey": "pillow-layer.zip",
        "Runtime": packages.runtime(),
        "Architecture": packages.architecture(),
        "ModelId": MODEL,
    }
    made = Album(deployment, template, parameters)
    try:
        made.create()
        made.ask(model.address)
        yield made
    finally:
        made.remove()


def begun(album, name, body):
    """What POST /uploads answers for a JPEG."""
    asked = {"name": name, "content_type": "image/jpeg", "size": len(body)}
    reply = album.call("POST", "/uploads", asked)
    found = reply.json() or {}
    expect(
        reply.status == 201 and {"url", "key"} <= found.keys(),
        tried=f"called POST /uploads for {name}, {len(body)} bytes of image/jpeg",
        expected='201 and {"url": …, "key": …}',
        seen=reply.words,
        log=album.last_failure("UploadFunction"),
    )
    expect(
        reply.content_type == "application/json",
        tried=f"called POST /uploads for {name}, and looked at the answer's content type",
        expected="application/json",
        seen=reply.content_type or "none",
    )
    return found


@pytest.mark.check(points=2, section="4 · The way in", timeout=90)
def check_upload_url(album, deployment, images):
    """POST /uploads answers a URL with which a page puts a photograph into raw/."""
    name, body = "way in.jpg", images.jpeg()
    found = begun(album, name, body)
    expect(
        found["key"] == f"raw/{name}",
        tried=f"called POST /uploads for {name}", expected=f"the key raw/{name}", seen=found["key"],
    )  # fmt: skip
    reply = send("PUT", found["url"], body, {"content-type": "image/jpeg"})
    expect(
        reply.status == 200,
        tried=f"called POST /uploads for {name} and PUT the photograph to the URL",
        expected="200",
        seen=f"{reply.words}. A URL allows what the role of its maker allows",
    )
    kept = deployment.client("s3").list_objects_v2(Bucket=album.outputs["SourceBucket"])
    keys = [each["Key"] for each in kept.get("Contents", [])]
    expect(
        found["key"] in keys,
        tried=f"PUT {name} to the URL", expected=f"{found['key']} in the source bucket", seen=str(keys),
    )  # fmt: skip


@pytest.mark.check(points=2, section="4 · The way in", needs=("check_upload_url",))
def check_upload_url_is_narrow(album, rng, images):
    """The URL is good for that much of that content type, for five minutes at most, and for nothing else."""
    name, body = f"narrow {rng.randrange(10**6)}.jpg", images.jpeg()
    url = begun(album, name, body)["url"]
    seconds = int(parse_qs(urlsplit(url).query).get("X-Amz-Expires", ["3600"])[0])
    expect(
        seconds <= 300,
        tried="called POST /uploads and read how long its URL is good for",
        expected="at most 300 seconds", seen=f"{seconds} seconds",
    )  # fmt: skip
    for words, method, content, kind in (
        ("a text", "PUT", b"x" * len(body), "text/html"),
        ("more than was announced", "PUT", body + b"more", "image/jpeg"),
        ("nothing, to read it", "GET", None, None),
        ("nothing, to delete it", "DELETE", None, None),
    ):
        reply = send(method, url, content, {"content-type": kind} if kind else {})
        expect(
            reply.status >= 400,
            tried=f"called POST /uploads for {len(body)} bytes of image/jpeg and sent {words}",
            expected="S3 to refuse it",
            seen=f"{reply.status}: S3 has done it",
        )
    for words, status, change in ASKED:
        asked = {"name": "n", "content_type": "image/jpeg", "size": 1} | change
        reply = album.call("POST", "/uploads", asked if change else "n")
        said = reply.json() if status == 400 else {"message": ""}
        expect(
            reply.status == status
            and isinstance(said, dict)
            and isinstance(said.get("message"), str),
            tried=f"called POST /uploads for {words}",
            expected="201, for it is within what is allowed"
            if status == 201
            else "400 and a message",
            seen=reply.words,
        )


@pytest.mark.check(points=3, section="5 · A thumbnail", timeout=120)
def check_thumbnail(album, images):
    """An upload to raw/ becomes a thumbnail under the same name, with its content type."""
    uploads = {
        "land in sight.jpg": (images.jpeg((640, 400), orientation=6), "image/jpeg"),
        "tall+small.png": (images.png((300, 500)), "image/png"),
        "icon.png": (images.icon_png(), "image/png"),
        "dance.gif": (images.animation(), "image/gif"),
        "photo.webp": (images.webp(), "image/webp"),
        "print.jpg": (images.cmyk_jpeg(), "image/jpeg"),
        "phone.jpg": (images.mpo(), "image/jpeg"),
    }
    done = album.taken_care_of(*((name, body) for name, (body, _) in uploads.items()))
    end = "though the function has come to its end" if done else "and the function came to no end"
    for name, (body, kind) in uploads.items():
        tried, found = f"uploaded raw/{name}", album.thumbnail(name)
        expect(
            found,
            tried=tried,
            expected=f"thumbnails/{name} in the other bucket", seen=f"it is not there, {end}",
            log=album.last_failure("PhotoFunction"),
        )  # fmt: skip
        show(found["Body"], f"thumbnails/{name}, after an upload of raw/{name}")
        faults = list(thumbnails.judge(body, found["Body"], 128).faults)
        if found["ContentType"] != kind:
            faults.append(f"its content type is {found['ContentType']}")
        expect(
            not faults,
            tried=tried, expected=f"a thumbnail of it, {kind}", seen="; ".join(faults),
        )  # fmt: skip


@pytest.mark.check(points=2, section="5 · A thumbnail", needs=("check_thumbnail",), timeout=120)
def check_list(album, rng, images):
    """GET /photos lists what was uploaded: name, alternative text, and a URL that shows the thumbnail."""
    name = f"listed {rng.randrange(10**6)}.jpg"
    album.taken_care_of((name, images.jpeg()))
    tried = f"uploaded raw/{name}"
    shows(album, album.photo(name, tried), name, f"{tried}, and called GET /photos")


def shows(album, photo, name, tried):
    """A list's entry or an announcement has an alternative text, and a URL of the thumbnail."""
    fields = {field: photo.get(field) for field in ("alt", "alt_by", "picture")}
    expect(
        all(isinstance(value, str) and value for value in fields.values()),
        tried=tried, expected="alt, alt_by and picture, each a text", seen=str(fields)[:300],
    )  # fmt: skip
    reply = send("GET", photo["picture"])
    expect(
        reply.status == 200 and reply.body == (album.thumbnail(name) or {}).get("Body"),
        tried=f"{tried}, and got the picture's URL",
        expected="the thumbnail",
        seen=f"{reply.words}. A URL allows what the role of its maker allows",
    )


@pytest.mark.check(points=1, section="5 · A thumbnail", needs=("check_list",), timeout=60)
def check_long_list(album, deployment):
    """GET /photos lists all, also when the table holds more than one answer of DynamoDB takes."""
    tables = deployment.client("dynamodb")
    (table,) = set(album.stack.ids("AWS::DynamoDB::Table")) - {album.outputs["ConnectionTable"]}
    names = [f"many-{number:03}.jpg" for number in range(300)]
    alt = "A long text. " * 320  # 1.2 MB together; one page of a scan is 1 MB

    def write(request):
        for first in range(0, len(names), 25):  # as many as one request takes
            some = [request({"name": {"S": name}}) for name in names[first : first + 25]]
            tables.batch_write_item(RequestItems={table: some})

    more = {"alt": {"S": alt}, "alt_by": {"S": "test"}}
    write(lambda name: {"PutRequest": {"Item": name | more}})
    try:
        missing = set(names) - album.photos("put 300 long items into the table").keys()
        expect(
            not missing,
            tried="put 300 items, 1.2 MB together, into the table, and called GET /photos",
            expected="all of them", seen=f"{len(missing)} are missing",
        )  # fmt: skip
    finally:
        write(lambda name: {"DeleteRequest": {"Key": name}})


def plain_jpeg(colour, size, **exif):
    """A photograph of one colour, with EXIF fields by their names."""
    fields = Image.Exif()
    for name, value in exif.items():
        fields[ExifTags.Base[name].value] = value
    output = io.BytesIO()
    Image.new("RGB", size, colour).save(output, "JPEG", exif=fields)
    return output.getvalue()


def texts(value):
    """All texts in a value, one after another."""
    if isinstance(value, str):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return "\n".join(filter(None, map(texts, parts)))


@pytest.mark.check(
    points=3,
    section="6 · Words for those who don't see it",
    needs=("check_thumbnail",),
    timeout=120,
)
def check_model_is_asked(album, model, names, rng):
    """The model is asked by Converse, with all that look_at found out, and for few tokens."""
    year, blue, red = rng.randrange(1990, 2026), names["blue"], names["red"]
    size = rng.randrange(501, 599), rng.randrange(601, 699)
    album.taken_care_of(
        (blue, plain_jpeg("blue", size, DateTime=f"{year}:05:17 12:00:00", Model="Lab Camera")),
        (red, plain_jpeg("red", size)),
    )
    tried = f"uploaded raw/{blue}"
    calls = model.asked(blue)
    expect(
        len(calls) == 1,
        tried=tried, expected="one call of Converse that tells its name", seen=f"{len(calls)} calls",
        log=album.last_failure("PhotoFunction"),
    )  # fmt: skip
    call = calls[0]
    said = texts([call.get("system"), call.get("messages")])
    known = {
        "its name": blue, "its width": size[0], "its height": size[1], "its orientation": "portrait",
        "its colour": "blue", "the year it was taken in": year, "its camera": "Lab Camera",
    }  # fmt: skip
    missing = [words for words, value in known.items() if str(value) not in said]
    expect(
        not missing,
        tried=f"{tried}, {size[0]} by {size[1]} pixels of blue, and read what the model was asked",
        expected="everything that look_at found out",
        seen=f"{', '.join(missing)}: not in the prompt, which is {said[:300]!r}",
    )
    other = model.asked(red)
    expect(
        other and str(year) not in texts(other[0].get("messages")),
        tried=f"uploaded raw/{red} after it", expected="a prompt about this photograph",
        seen="it speaks of the other one" if other else "the model was not asked",
    )  # fmt: skip
    expect(
        call.get("modelId") == MODEL,
        tried=f"created the stack with ModelId={MODEL} and uploaded raw/{blue}",
        expected="that model to be asked", seen=str(call.get("modelId")),
    )  # fmt: skip
    config = call.get("inferenceConfig")
    most = config.get("maxTokens") if isinstance(config, dict) else None
    expect(
        isinstance(most, int) and 1 <= most <= MOST_TOKENS,
        tried=f"{tried}, and read inferenceConfig",
        expected=f"maxTokens of at most {MOST_TOKENS}",
        seen="no maxTokens: the model's own limit holds, which is thousands" if most is None else str(most),
    )  # fmt: skip


def is_one_line(text):
    """Whether a text is what an attribute `alt` is for."""
    return bool(text.strip()) and len(text.splitlines()) == 1 and len(text) <= LONGEST


@pytest.mark.check(
    points=3,
    section="6 · Words for those who don't see it",
    needs=("check_list", "check_model_is_asked"),
    timeout=240,
)
def check_alternative_text(album, model, names, sentence, rng, images):
    """What the model writes becomes the alternative text: one line, 200 characters at most."""
    plain, long, real = names["plain"], names["long"], f"photo-{rng.getrandbits(48):012x}.jpg"
    album.taken_care_of((plain, images.jpeg()), (long, images.jpeg()))
    album.ask(None)
    try:
        album.taken_care_of((real, images.jpeg()))
        album.handled(real)  # the model itself may take its time
    finally:
        album.ask(model.address)
    photo = album.photo(plain, f"uploaded raw/{plain}")
    expect(
        (photo.get("alt"), photo.get("alt_by")) == (sentence, "model"),
        tried=f"uploaded raw/{plain} and let the model say {sentence!r}",
        expected='that as "alt", and "alt_by": "model"',
        seen=str({field: photo.get(field) for field in ("alt", "alt_by")}),
    )
    for name, words in (
        (long, "let the model say much, over many lines"),
        (real, "asked the model"),
    ):
        photo = album.photo(name, f"uploaded raw/{name}")
        expect(
            is_one_line(photo.get("alt") or "") and photo.get("alt_by") == "model",
            tried=f"uploaded raw/{name} and {words}",
            expected=f'"alt" of one line and at most {LONGEST} characters, and "alt_by": "model"',
            seen=str({field: photo.get(field) for field in ("alt", "alt_by")})[:300],
            log=album.last_failure("PhotoFunction"),
        )  # fmt: skip


@pytest.mark.check(
    points=5,
    section="7 · When there are no words",
    needs=("check_list", "check_model_is_asked"),
    timeout=120,
)
def check_fallback(album, model, names, images):
    """Without a text of the model the photograph is shown all the same, with the fallback's text."""
    ways = {
        "throttled": "the model is throttled",
        "denied": "the model is denied to us",
        "late": "nobody answers at the model's address",
        "guarded": "a guardrail stops the answer, and says Sorry",
        "filtered": "a filter stops the answer in the middle",
        "blank": "the model says a blank line",
        "empty": "the model says nothing",
    }
    album.taken_care_of(*((names[word], images.jpeg()) for word in ways if word != "late"))
    album.ask(NOWHERE)
    try:
        album.taken_care_of((names["late"], images.jpeg()))
    finally:
        album.ask(model.address)
    for word, words in ways.items():
        name, tried = names[word], f"uploaded raw/{names[word]}, where {words}"
        photo = album.photo(name, tried)
        expect(
            photo.get("alt_by") == "fallback" and name in (photo.get("alt") or ""),
            tried=tried,
            expected='"alt_by": "fallback", and what fallback(facts) says as "alt"',
            seen=str({field: photo.get(field) for field in ("alt", "alt_by")}),
        )
        shows(album, photo, name, tried)


@pytest.mark.check(points=2, section="8 · Who is there", timeout=90)
def check_pages_come_and_go(album):
    """A page that connects is in the table of connections, and one that leaves is not."""
    before = len(album.connections())
    with album.page(), album.page():
        _expect_connections(album, before + 2, "opened two pages", ENTERED_S)
    _expect_connections(album, before, "opened two pages and closed them")


def _expect_connections(album, count, tried, seconds=HEARD_S):
    try:
        album.deployment.wait_for(lambda: len(album.connections()) == count, seconds)
    except Unmet:
        ran = any("REPORT " in line for line in album.lines("ConnectionFunction"))
        raise Unmet(
            tried=tried,
            expected=f"{count} items in the table of connections",
            seen=f"{len(album.connections())}{'' if ran else ', and ConnectionFunction has not run'}",
            log=album.last_failure("ConnectionFunction"),
        ) from None


@pytest.mark.check(
    points=4,
    section="9 · Tell them",
    needs=("check_list", "check_pages_come_and_go"),
    timeout=120,
)
def check_pages_hear(album, rng, images):
    """Every page that is connected hears of a photograph, with its text and a URL of the thumbnail."""
    name = f"news-{rng.randrange(10**6)}.jpg"
    tried = f"opened two pages and uploaded raw/{name}"
    with album.page() as one, album.page() as other:
        _expect_connections(album, 2, "opened two pages", ENTERED_S)
        album.taken_care_of((name, images.jpeg()))
        for page in (one, other):
            message = page.hear(name, HEARD_S)
            expect(
                message,
                tried=tried,
                expected=f'a message {{"name": "{name}", "alt": …, "alt_by": …, "picture": …}} to both',
                seen="one of them heard nothing of it",
                log=album.last_failure("PhotoFunction"),
            )
            shows(album, message, name, tried)
    listed = album.photo(name, tried)
    expect(
        message["alt"] == listed.get("alt"),
        tried=tried, expected="the text that GET /photos has", seen=f"{message['alt']!r}",
    )  # fmt: skip


@pytest.mark.check(
    points=4, section="10 · Those who have gone", needs=("check_pages_hear",), timeout=120
)
def check_gone(album, rng, images):
    """Pages that have gone without a word are taken out of the table, and all others still hear."""
    stale = _stale_connections(album)
    name = f"gone-{rng.randrange(10**6)}.jpg"
    tried = (
        f"put {STALE_PAGES} closed connections into the table, opened a page, uploaded raw/{name}"
    )
    with album.page() as page:
        _expect_connections(album, STALE_PAGES + 1, "opened a page")
        album.taken_care_of((name, images.jpeg()))
        expect(
            page.hear(name, HEARD_S),
            tried=tried, expected="the page that is open to hear of it", seen="it heard nothing",
            log=album.last_failure("PhotoFunction"),
        )  # fmt: skip
        album.deployment.wait_for(lambda: name in album.photos(tried), HEARD_S)
        left = [item for item in album.connections() if item in stale]
        expect(
            not left and len(album.connections()) == 1,
            tried=tried,
            expected="one item in the table, that of the page which is open",
            seen=f"{len(left)} of those that have gone are still there"
            if left
            else "the open page's item is gone too",
        )


def _stale_connections(album):
    """Put connections into the table that are closed already; return their items."""
    pages = [album.page() for _ in range(STALE_PAGES)]
    _expect_connections(album, STALE_PAGES, f"opened {STALE_PAGES} pages")
    items = album.connections()
    for page in pages:
        page.close()
    _expect_connections(album, 0, "closed all pages")
    for item in items:
        album.put_connection(item)
    return items


@pytest.mark.check(points=1, section="9 · Tell them", needs=("check_pages_hear",), timeout=90)
def check_no_picture(album, model, rng, images):
    """What is no picture is skipped: nothing is stored, nobody is told, and nothing fails."""
    number = rng.randrange(10**6)
    text, photo = f"text-{number}.jpg", f"after-{number}.jpg"
    tried = f"uploaded a text as raw/{text}, and then a photograph"
    before = len(album.failures("PhotoFunction"))
    with album.page() as page:
        _expect_connections(album, 1, "opened a page", ENTERED_S)
        album.taken_care_of((text, b"not a picture at all"))
        album.taken_care_of((photo, images.jpeg()))
        heard = page.hear(text, 0), album.thumbnail(text)
        expect(
            text not in album.photos(tried) and not any(heard),
            tried=tried, expected=f"nothing of {text} to be seen anywhere", seen="it is there",
        )  # fmt: skip
    expect(
        model.asked_so_far(text) == [],
        tried=tried, expected="the model not to be asked about a text", seen="it was asked",
    )  # fmt: skip
    failures = album.failures("PhotoFunction")
    expect(
        len(failures) == before,
        tried=tried, expected="no failure: to try again would not help", seen="the function failed",
        log=failures[-1:],
    )  # fmt: skip


@pytest.mark.check(
    points=5,
    section="11 · Nobody may do more than they need",
    needs=("check_alternative_text", "check_pages_hear"),
    timeout=90,
)
def check_roles_are_narrow(album, deployment):
    """Each function's role allows what the function does, and nothing besides."""
    functions = deployment.client("lambda")
    there = set(album.stack.ids("AWS::Lambda::Function"))
    named = {album.outputs[output] for output in FUNCTIONS}
    expect(
        there == named,
        tried="looked for the stack's functions",
        expected=f"the three that are its outputs {', '.join(FUNCTIONS)}",
        seen=f"{', '.join(sorted(there - named)) or 'fewer'}",
    )
    buckets = album.stack.ids("AWS::S3::Bucket")
    for output, questions, who in (
        ("UploadFunction", upload_questions, "the role behind the HTTP API"),
        ("ConnectionFunction", connection_questions, "the role behind the WebSocket API"),
        ("PhotoFunction", photo_questions, "the role that takes care of uploads"),
    ):
        name = album.outputs[output]
        role = functions.get_function_configuration(FunctionName=name)["Role"]
        expect_nothing_allowed(deployment, role, questions(album, MODEL), who)
        expect_no_other_rights(deployment, role, buckets, who)


@pytest.mark.check(points=3, section="12 · The way back", needs=("check_pages_hear",), timeout=330)
def check_nothing_left(album, deployment):
    """With its buckets emptied, the stack can be deleted, and nothing of it is left."""
    album.handled()
    tables, buckets = album.stack.ids("AWS::DynamoDB::Table"), album.stack.ids("AWS::S3::Bucket")
    functions = [album.outputs[name] for name in FUNCTIONS]
    status = album.remove()
    expect(
        status == "DELETE_COMPLETE",
        tried="emptied the buckets and deleted the stack",
        expected="DELETE_COMPLETE",
        seen=f"{status}. First to fail was {album.stack.failure()}",
    )
    client = deployment.client
    left = [name for name in client("dynamodb").list_tables()["TableNames"] if name in tables]
    left += [b["Name"] for b in client("s3").list_buckets()["Buckets"] if b["Name"] in buckets]
    groups = client("logs").get_paginator("describe_log_groups").paginate()
    named = {f"/aws/lambda/{function}" for function in functions}
    left += [
        group["logGroupName"]
        for page in groups
        for group in page["logGroups"]
        if group["logGroupName"] in named
    ]
    expect(
        not left,
        tried="emptied the buckets and deleted the stack",
        expected="nothing of it to be left",
        seen=f"still there: {', '.join(left)}",
    )
