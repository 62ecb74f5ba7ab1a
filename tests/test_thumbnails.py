"""The judge of thumbnails, and the images that the checks make for it."""

import io
import random

import pytest
from checks.images import Images, saved
from PIL import Image, ImageOps

from labkit import thumbnails


@pytest.fixture(params=range(3))
def images(request):
    return Images(random.Random(request.param))


def thumbnail(upload, change=lambda image: image, **options):
    """A right thumbnail of an upload, unless the change spoils it."""
    image = Image.open(io.BytesIO(upload))
    kind = "JPEG" if image.format == "MPO" else image.format
    if image.mode in ("P", "1"):
        image = image.convert("RGBA")
    if image.mode == "I;16":
        image = image.point(lambda value: value / 257).convert("L")
    image.thumbnail((128, 128))
    image = ImageOps.exif_transpose(image)
    if image.mode == "CMYK":
        image = image.convert("RGB")
    return saved(change(image), options.pop("kind", kind), **options)


def faults(upload, small, **options):
    return " and ".join(thumbnails.judge(upload, small, 128, **options).faults)


KINDS = (
    "jpeg", "png", "transparent_png", "palette_png", "grey_jpeg", "cmyk_jpeg", "deep_png", "animation",
    "webp", "dot", "large_png", "icon_png", "bitmap_png", "tiff", "bmp", "mpo",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_thumbnail_has_no_fault(images, kind):
    upload = getattr(images, kind)()
    verdict = thumbnails.judge(upload, thumbnail(upload), 128)
    assert verdict.right, verdict
    assert verdict.mean_difference < thumbnails.MOST_DIFFERENCE / 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation(images, orientation):
    upload = images.jpeg(orientation=orientation)
    assert faults(upload, thumbnail(upload)) == ""
    stored = Image.open(io.BytesIO(upload))
    stored.thumbnail((128, 128))
    ignored = saved(stored, "JPEG")
    assert ("not upright" in faults(upload, ignored)) is (orientation != 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda image: image.resize((128, 128)), "proportions"),
        (lambda image: image.resize((256, 160)), "does not fit"),
        (lambda image: image.transpose(Image.Transpose.ROTATE_180), "not upright"),
        (lambda image: Image.new("RGB", image.size), "does not show the picture"),
    ],
)
def test_what_is_wrong_is_said(images, change, words):
    upload = images.jpeg()
    assert words in faults(upload, thumbnail(upload, change))


def test_enlarged(images):
    upload = images.png((60, 40))
    assert "larger than the upload" in faults(
        upload, thumbnail(upload, lambda i: i.resize((90, 60)))
    )


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_lost_transparency(images, mode):
    upload = images.transparent_png(mode)
    assert "not transparent" in faults(
        upload, thumbnail(upload, lambda image: image.convert("RGB"))
    )


def test_lost_transparency_of_a_palette(images):
    upload = images.icon_png()
    icon = Image.open(io.BytesIO(upload)).convert(
        "RGB"
    )  # one colour is still said to be transparent
    icon.thumbnail((128, 128))
    assert "not transparent" in faults(upload, saved(icon, "PNG"))


def test_single_pixels_of_black_and_white(images):
    upload = images.bitmap_png()
    sampled = Image.open(io.BytesIO(upload))
    sampled.thumbnail((128, 128))
    assert "does not show the picture" in faults(upload, saved(sampled, "PNG"))


def test_sixteen_bits_cut_off(images):
    upload = images.deep_png()
    white = Image.open(io.BytesIO(upload)).convert("L")
    white.thumbnail((128, 128))
    assert "does not show the picture" in faults(upload, saved(white, "PNG"))


def test_format_and_content_type(images):
    upload = images.png()
    assert "it is a JPEG" in faults(upload, thumbnail(upload, kind="JPEG"))
    assert "content type" in faults(upload, thumbnail(upload), content_type="image/jpeg")
    phone = images.mpo()
    assert "content type" in faults(phone, thumbnail(phone), content_type="image/mpo")
    assert faults(upload, thumbnail(upload), content_type="image/png") == ""


def test_ink(images):
    upload = images.cmyk_jpeg()
    assert "CMYK" in faults(upload, thumbnail(upload, lambda image: image.convert("CMYK")))


@pytest.mark.parametrize("kind", ["text", "cut_off", "bomb"])
def test_no_picture(images, kind):
    assert "it is no picture" in faults(images.jpeg(), getattr(images, kind)())


def test_the_same_chance_gives_the_same_images():
    assert Images(random.Random(7)).jpeg() == Images(random.Random(7)).jpeg()
    assert Images(random.Random(7)).jpeg() != Images(random.Random(8)).jpeg()


def test_the_bomb_is_a_whole_picture(monkeypatch):
    # Small enough to be unpacked here: black, and every byte of it there.
    monkeypatch.setattr("checks.images._BOMB", (6000, 1000))
    bomb = Image.open(io.BytesIO(Images(random.Random(1)).bomb()))
    bomb.load()
    assert bomb.getextrema() == ((0, 0),) * 3
