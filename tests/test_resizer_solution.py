"""The reference resizer's pictures: every kind of image that people upload."""

import importlib.util
import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat

SOURCE = Path(__file__).parents[1] / "solutions" / "09-function" / "app.py"
PHOTOS = Path(__file__).parents[1] / "assets" / "photos"


@pytest.fixture(scope="module")
def app():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEST_BUCKET", "thumbnails")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        spec = importlib.util.spec_from_file_location("resizer_solution", SOURCE)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


def shrunk(app, image, kind, **options):
    """The thumbnail of an image saved as that kind of file: itself, and its content type."""
    stored = io.BytesIO()
    image.save(stored, kind, **options)
    body, content_type = app.make_thumbnail(stored.getvalue())
    result = Image.open(io.BytesIO(body))
    result.load()
    return result, content_type


@pytest.fixture
def photo():
    with Image.open(PHOTOS / "chelsea.png") as picture:
        return picture.convert("RGB")


def likeness(result, photo):
    """Mean difference of colours, of 255."""
    expected = photo.resize(result.size)
    return sum(ImageStat.Stat(ImageChops.difference(result.convert("RGB"), expected)).mean) / 3


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("GIF", "image/gif"),
     ("TIFF", "image/tiff"), ("BMP", "image/bmp")],
)  # fmt: skip
def test_format_is_kept(app, photo, kind, content_type):
    result, given = shrunk(app, photo, kind)
    assert (result.format, given, result.size) == (kind, content_type, (128, 85))
    assert likeness(result, photo) < 12


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("CMYK", "JPEG"), ("L", "JPEG"), ("P", "PNG"), ("LA", "PNG"), ("RGBA", "PNG"), ("1", "PNG")],
)
def test_mode_is_no_obstacle(app, photo, mode, kind):
    result, _ = shrunk(app, photo.convert(mode), kind)
    assert result.size == (128, 85)
    grey = mode in ("L", "LA", "1")
    assert likeness(result, photo.convert("L").convert("RGB") if grey else photo) < 25
    assert result.mode != "CMYK"


def test_transparency_is_kept(app, photo):
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    result, _ = shrunk(app, photo, "PNG")
    assert result.mode == "RGBA"
    assert result.getchannel("A").getextrema()[0] < 10


def test_a_palettes_transparency_is_kept(app, photo):
    result, _ = shrunk(app, photo.quantize(32), "PNG", transparency=0)
    assert result.mode == "RGBA"


def test_an_upright_camera_gives_an_upright_thumbnail(app, photo):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    result, _ = shrunk(app, photo, "JPEG", exif=exif, quality=95)
    assert result.size == (85, 128)
    assert likeness(result, photo.transpose(Image.Transpose.ROTATE_270)) < 12
    assert 0x0112 not in result.getexif()


def test_a_small_image_is_not_enlarged(app, photo):
    result, _ = shrunk(app, photo.resize((60, 40)), "PNG")
    assert result.size == (60, 40)


def test_sixteen_bits_are_brought_down_to_eight(app, photo):
    grey = photo.convert("L")
    deep = grey.resize((900, 600)).convert("I").point(lambda value: value * 257).convert("I;16")
    result, _ = shrunk(app, deep, "PNG")
    assert (result.mode, result.size) == ("L", (128, 85))
    assert likeness(result, grey.convert("RGB")) < 12


def test_a_colour_profile_is_kept_unless_it_is_one_for_ink(app, photo):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    kept, _ = shrunk(app, photo, "JPEG", icc_profile=profile)
    assert kept.info["icc_profile"] == profile
    ink, _ = shrunk(app, photo.convert("CMYK"), "JPEG", icc_profile=profile)
    assert "icc_profile" not in ink.info


def test_a_jpeg_with_a_second_one_behind_it_is_a_jpeg(app, photo):
    result, content_type = shrunk(app, photo, "MPO", save_all=True, append_images=[photo])
    assert (result.format, content_type) == ("JPEG", "image/jpeg")


def test_a_format_that_browsers_do_not_upload_is_unreadable(app, photo):
    with pytest.raises(app.UNREADABLE):
        shrunk(app, photo, "PPM")


@pytest.mark.parametrize("size", [(3000, 10), (10, 3000)])
def test_a_strip_stays_a_picture(app, size):
    result, _ = shrunk(app, Image.new("RGB", size), "PNG")
    assert max(result.size) == 128
    assert min(result.size) >= 1


@pytest.mark.parametrize(
    "event", [{"Service": "Amazon S3", "Event": "s3:TestEvent"}, {"Records": []}]
)
def test_an_event_without_records_is_no_error(app, event):
    assert app.handler(event, None) == {"thumbnails": []}
