"""Stage 09: the function. It is deployed and invoked with S3's events; a notification comes in stage 10."""

import io

import pytest
from PIL import Image, ImageOps

from labkit import thumbnails
from labkit.grading import expect

from .images import saved
from .resizer import WRAPPER, Resizer

# Much memory means much processor time: these checks are about pictures, not about patience.
MEMORY_MB = 1024


def policy(*statements):
    """A policy of Allow statements, each (actions, resource)."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in statements],
    }


@pytest.fixture(scope="module")
def resizer(deployment, workspace, pillow_layer):
    """The learner's function, with more rights than it needs: what it does that it should not, shows."""
    code = workspace.text("app.py")
    source, destination = deployment.bucket("source"), deployment.bucket("destination")
    arns = [f"arn:{deployment.partition}:s3:::{name}" for name in (source, destination)]
    role = deployment.role(
        "role",
        policy(
            ("s3:*", [*arns, *(f"{arn}/*" for arn in arns)]),
            ("logs:*", "*"),
        ),
    )
    function = deployment.function(
        "resizer", {"app.py": code}, handler="app.handler", role=role, layers=[pillow_layer],
        environment={"DEST_BUCKET": destination}, memory=MEMORY_MB,
    )  # fmt: skip
    return Resizer(deployment, function, source, destination)


@pytest.fixture(scope="module")
def second(deployment, workspace, pillow_layer):
    """The same code with other buckets, another size, and no right that it doesn't need."""
    code = workspace.text("app.py")
    source, destination = deployment.bucket("uploads"), deployment.bucket("small")
    arn = f"arn:{deployment.partition}:s3:::"
    logs = deployment.fill("arn:${Partition}:logs:${Region}:${Account}:*")
    role = deployment.role(
        "second-role",
        policy(
            ("s3:GetObject", f"{arn}{source}/raw/*"),
            ("s3:PutObject", f"{arn}{destination}/thumbnails/*"),
            (["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], logs),
        ),
    )
    function = deployment.function(
        "second", {"app.py": code, "checked.py": WRAPPER}, handler="checked.handler", role=role,
        layers=[pillow_layer], memory=MEMORY_MB,
        environment={"DEST_BUCKET": destination, "THUMBNAIL_SIZE": "72"},
    )  # fmt: skip
    return Resizer(deployment, function, source, destination, longest_side=72)


FIRST = ("check_makes_a_thumbnail",)


@pytest.mark.check(points=2, section="3 · Read, shrink, save, write")
def check_makes_a_thumbnail(resizer, images):
    """A photograph under raw/ gives a picture of at most 128 x 128 under thumbnails/, in the other bucket."""
    photo, key = images.jpeg(), "raw/photo.jpg"
    tried = f"uploaded a photograph (JPEG) as {key} and invoked your function with S3's event"
    answer = resizer.works(tried, resizer.upload(key, photo))
    found = resizer.thumbnail(tried, key, answer)
    verdict = thumbnails.judge(photo, found.body, resizer.longest_side)
    expect(
        verdict.size and max(verdict.size) <= resizer.longest_side,
        tried=tried,
        expected="a picture that fits into 128 x 128",
        seen=verdict.faults[0] if verdict.faults else "",
        log=answer.log,
    )
    # Its proportions are the next check's: it may be squeezed, or a part of the photograph.
    part = saved(ImageOps.fit(Image.open(io.BytesIO(photo)), verdict.size), "PNG")
    found = [verdict, thumbnails.judge(part, found.body, resizer.longest_side)]
    expect(
        min(each.mean_difference for each in found) <= thumbnails.MOST_DIFFERENCE,
        tried=tried,
        expected="a picture of the photograph",
        seen="a picture of something else",
        log=answer.log,
    )


@pytest.mark.check(points=1, section="4 · Proportions", needs=FIRST)
def check_proportions(resizer, images):
    """A thumbnail fits into 128 x 128 and keeps the proportions: lying, standing, square, wide, tall."""
    wide, high = images.size()
    shapes = {
        "lying": (wide, high), "standing": (high, wide), "square": (high, high),
        "wide": (wide * 2, wide // 6), "tall": (wide // 6, wide * 2),
    }  # fmt: skip
    for shape, size in shapes.items():
        what = f"a picture of {size[0]} x {size[1]}"
        resizer.makes(what, f"raw/{shape}.png", images.png(size))


@pytest.mark.check(points=1, section="4 · Proportions", needs=FIRST)
def check_small_stays_small(resizer, images, rng):
    """A picture that is smaller than a thumbnail is not enlarged."""
    size = (rng.randrange(40, 60), rng.randrange(61, 90))
    resizer.makes(f"a picture of {size[0]} x {size[1]}", "raw/tiny.png", images.png(size))
    resizer.makes("a picture of 1 x 1", "raw/dot.png", images.dot())


@pytest.mark.check(points=1, section="5 · Keys", needs=FIRST)
def check_keys(resizer, images, rng):
    """Keys with blanks, accents, plus signs, per cent and folders give a thumbnail of just the same name."""
    number = rng.randrange(100, 1000)
    photo = images.jpeg((320, 200))
    for name in (
        f"my photo {number}.jpg", f"Crème brûlée {number}.jpg", f"1+1={number}.jpg",
        f"100%25 {number}.jpg", f"2026/raw/{number}/写真.jpg",
    ):  # fmt: skip
        resizer.makes("a photograph", f"raw/{name}", photo)


@pytest.mark.check(points=1, section="6 · One event, several records", needs=FIRST)
def check_records(resizer, images, rng):
    """Every record of an event gives its thumbnail, and S3's test event, which has none, is no error."""
    photos = {f"raw/record-{rng.randrange(10**6)}.jpg": images.jpeg((300, 200)) for _ in range(3)}
    tried = "invoked your function with one event of three records"
    answer = resizer.works(tried, *(resizer.upload(*each) for each in photos.items()))
    for key, photo in photos.items():
        resizer.right_thumbnail(tried, key, photo, answer)
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": resizer.source}
    answer = resizer.deployment.invoke(resizer.function, test_event)
    answer.must_work(
        'invoked your function with S3\'s test event, which has no "Records"',
        "nothing to happen, and no error",
    )


@pytest.mark.check(points=2, section="7 · Which way is up", needs=FIRST)
def check_orientation(resizer, images):
    """A photograph stands upright in its thumbnail, however the camera was held (EXIF orientation)."""
    for orientation in range(1, 9):
        what = f"a photograph with EXIF orientation {orientation}"
        resizer.makes(what, f"raw/held-{orientation}.jpg", images.jpeg(orientation=orientation))


@pytest.mark.check(points=1, section="8 · Colours", needs=FIRST)
def check_transparency(resizer, images):
    """What is transparent stays transparent: colour, grey and palette."""
    resizer.makes("a PNG with transparency", "raw/logo.png", images.transparent_png())
    resizer.makes("a grey PNG with transparency", "raw/grey-logo.png", images.transparent_png("LA"))
    resizer.makes(
        "a PNG with a palette, one colour of it transparent", "raw/icon.png", images.icon_png()
    )


@pytest.mark.check(points=1, section="8 · Colours", needs=FIRST)
def check_colours(resizer, images):
    """Grey, CMYK, palettes, 1 and 16 bits a pixel, GIF animations and WebP come out as what they show."""
    for what, key, body in (
        ("a grey photograph", "grey.jpg", images.grey_jpeg()),
        ("a photograph for printing (CMYK)", "print.jpg", images.cmyk_jpeg()),
        ("a PNG of 16 bits a pixel", "scan.png", images.deep_png()),
        ("a PNG of one bit a pixel", "fax.png", images.bitmap_png()),
        ("a PNG with a palette, nothing of it transparent", "chart.png", images.palette_png()),
        ("an animated GIF", "dance.gif", images.animation()),
        ("a photograph in WebP", "photo.webp", images.webp()),
        ("a picture in TIFF", "print.tif", images.tiff()),
        ("a picture in BMP", "paint.bmp", images.bmp()),
    ):
        resizer.makes(what, f"raw/{key}", body)


@pytest.mark.check(points=1, section="9 · Content type and metadata", needs=FIRST)
def check_content_type(resizer, images):
    """The thumbnail's content type is that of its format, whatever the upload was called or said to be."""
    for what, key, body, wanted in (
        ("a JPEG", "typed.jpg", images.jpeg(), "image/jpeg"),
        ("a PNG", "typed.png", images.png(), "image/png"),
        ("a PNG whose name ends in .jpg", "really-a-png.jpg", images.png(), "image/png"),
        ("a phone's photograph in MPO", "phone.jpg", images.mpo(), "image/jpeg"),
    ):
        found = resizer.makes(what, f"raw/{key}", body, content_type="application/octet-stream")
        expect(
            found.content_type == wanted,
            tried=f"uploaded {what} as raw/{key} and looked at the thumbnail's content type",
            expected=wanted,
            seen=found.content_type,
        )


@pytest.mark.check(points=1, section="9 · Content type and metadata", needs=FIRST)
def check_metadata(resizer, images, rng):
    """The upload's metadata, such as the photographer's name, is the thumbnail's too."""
    wanted = {
        "photographer": f"Ada {rng.randrange(1000)}",
        "album": f"Summer {rng.randrange(1000)}",
    }
    found = resizer.makes("a photograph", "raw/signed.jpg", images.jpeg(), metadata=wanted)
    expect(
        wanted.items() <= found.metadata.items(),
        tried=f"uploaded raw/signed.jpg with the metadata {wanted}",
        expected="the thumbnail to have them as well",
        seen=f"its metadata are {found.metadata}",
    )


def is_skipped(resizer, images, what, name, body):
    """Hold that a bad upload is skipped with a line in the log, and that the next record has its turn."""
    after = f"raw/after-{name}.jpg"
    tried = f"invoked your function with two records: {what}, named {name}, and a photograph"
    answer = resizer.works(
        tried,
        resizer.upload(f"raw/{name}", body),
        resizer.upload(after, images.jpeg((300, 200))),
    )
    resizer.thumbnail(tried, after, answer)
    expect(
        resizer.stored(f"thumbnails/{name}") is None,
        tried=tried,
        expected="no thumbnail of the first",
        seen=f"there is a thumbnails/{name}",
        log=answer.log,
    )
    expect(
        any(name in line for line in answer.log if after not in line),
        tried=tried,
        expected=f"a line in the log that names {name}",
        seen="no line does",
        log=answer.log,
    )


@pytest.mark.check(points=1, section="10 · What is no picture", needs=FIRST)
def check_no_picture(resizer, images):
    """An empty file, a text named .jpg and a broken JPEG are skipped: a line in the log, no error."""
    is_skipped(resizer, images, "an empty file", "empty.jpg", b"")
    is_skipped(resizer, images, "a text", "text.jpg", images.text())
    is_skipped(resizer, images, "a JPEG that ends in the middle", "cut-off.jpg", images.cut_off())


@pytest.mark.check(points=1, section="11 · A bomb", needs=FIRST)
def check_bomb(resizer, images):
    """A small file that unpacks to 400 million pixels is skipped before it fills the memory."""
    is_skipped(resizer, images, "a PNG of 20,000 x 20,000 pixels", "bomb.png", images.bomb())


@pytest.mark.check(points=1, section="12 · Errors that must be seen", needs=FIRST)
def check_errors_are_seen(resizer, images, deployment):
    """What is not the picture's fault, such as a refused access, ends the invocation with an error."""
    elsewhere, photo = deployment.bucket("elsewhere"), images.jpeg()
    deployment.client("s3").put_object(Bucket=elsewhere, Key="raw/photo.jpg", Body=photo)
    answer = resizer.invoke(resizer.record("raw/photo.jpg", len(photo), "0" * 32, elsewhere))
    expect(
        answer.error is not None,
        tried="invoked your function for an object of a bucket that it may not read",
        expected="an error, so that Lambda tries again and somebody hears of it",
        seen="it returned as if all were well",
        log=answer.log,
    )


@pytest.mark.check(points=1, section="13 · Twice, and the memory", needs=FIRST)
def check_twice(resizer, images):
    """The same event twice gives the same object, and no other."""
    record = resizer.upload("raw/twice.png", images.png())
    tried = "invoked your function twice with the same event"
    once = resizer.thumbnail(tried, "raw/twice.png", resizer.works(tried, record))
    before = resizer.keys(resizer.destination)
    again = resizer.thumbnail(tried, "raw/twice.png", answer := resizer.works(tried, record))
    more = resizer.keys(resizer.destination).keys() - before.keys()
    expect(
        once.body == again.body and not more,
        tried=tried,
        expected="the same thumbnail as after the first time, and nothing else",
        seen=f"a new object {min(more)}" if more else "another thumbnail",
        log=answer.log,
    )


@pytest.mark.check(points=1, section="3 · Read, shrink, save, write", needs=FIRST)
def check_source_is_only_read(resizer, images):
    """The source bucket is only read: what lies there is what was uploaded."""
    resizer.makes("a photograph", "raw/untouched.jpg", images.jpeg())
    found = resizer.keys(resizer.source)
    changed = [
        key for key in {**found, **resizer.uploaded} if found.get(key) != resizer.uploaded.get(key)
    ]
    expect(
        not changed,
        tried="looked into the source bucket after all these uploads",
        expected="what was uploaded, and nothing else",
        seen=f"new, changed or gone: {', '.join(changed[:3])}",
    )


@pytest.mark.check(points=1, section="3 · Read, shrink, save, write", needs=FIRST)
def check_environment(second, images):
    """DEST_BUCKET and THUMBNAIL_SIZE count, and reading raw/ and writing thumbnails/ are rights enough."""
    second.makes("a photograph, with THUMBNAIL_SIZE=72", "raw/photo.jpg", images.jpeg())


@pytest.mark.check(points=1, section="14 · The disk", needs=("check_environment",))
def check_tmp_is_empty(second, images):
    """Nothing stays in /tmp: an execution environment lives on, and its disk is small."""
    records = [
        second.upload("raw/one.jpg", images.jpeg()),
        second.upload("raw/two.png", images.png()),
        second.upload("raw/three.jpg", images.cut_off()),
    ]
    tried = "made three thumbnails, one of them of a JPEG that was cut off, and looked into /tmp"
    left = [second.works(tried, record) for record in records][-1].payload
    expect(
        not left,
        tried=tried,
        expected="nothing new there",
        seen=f"{len(left)} more: {', '.join(left[:3])}",
    )


@pytest.mark.check(points=1, section="13 · Twice, and the memory", needs=("check_environment",))
def check_memory(second, images):
    """A picture is in memory at full size once, not twice."""
    size = (4000, 3000)
    once_mb = (
        size[0] * size[1] * 4 / 2**20
    )  # Pillow keeps four bytes for a pixel of red, green and blue
    small = second.upload("raw/small.png", images.png())
    first = second.works("made a thumbnail of a small picture", small)
    tried = (
        "made thumbnails of a small PNG and of one of 4000 x 3000 pixels; compared Max Memory Used"
    )
    answer = second.works(tried, second.upload("raw/large.png", images.large_png(size)))
    second.thumbnail(tried, "raw/large.png", answer)
    more = answer.reported("Max Memory Used") - first.reported("Max Memory Used")
    expect(
        more < once_mb * 1.6,
        tried=tried,
        expected=f"about {once_mb:.0f} MB more, which is the picture once",
        seen=f"{more:.0f} MB more",
        log=[line for line in answer.log if line.startswith("REPORT")],
    )
