"""A picture of a photograph and its thumbnail, side by side."""

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

_INK, _FAINT, _PAPER = "#1f2933", "#52606d", "#ffffff"
_WIDTH, _MARGIN, _LINE = 1000, 24, 19


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height of a picture in pixels, upright."""
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).size


def side_by_side(
    photo: bytes, thumbnail: bytes, captions: tuple[str, str], lines: list[str], target: Path
) -> None:
    """Write a PNG with the photograph, the thumbnail at its own size, and lines of text below."""
    large, small = (Image.open(io.BytesIO(data)).convert("RGB") for data in (photo, thumbnail))
    large.thumbnail((560, 420))
    wrapped = [piece for line in lines for piece in _wrap(line.replace("\t", "  "), 108)]
    top = _MARGIN + large.height + 84
    canvas = Image.new("RGB", (_WIDTH, top + len(wrapped) * _LINE + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(canvas)
    right = _MARGIN + large.width + 48
    canvas.paste(large, (_MARGIN, _MARGIN))
    canvas.paste(small, (right, _MARGIN))
    for left, picture, caption in ((_MARGIN, large, captions[0]), (right, small, captions[1])):
        place = (left, _MARGIN + picture.height + 8)
        draw.multiline_text(place, caption, fill=_INK, font=_font(), spacing=5)
    for number, line in enumerate(wrapped):
        draw.text((_MARGIN, top + number * _LINE), line, fill=_FAINT, font=_font())
    target.parent.mkdir(parents=True, exist_ok=True)
    canvas.save(target, optimize=True)


def _wrap(line: str, width: int) -> list[str]:
    pieces = [line[:width]]
    rest = line[width:]
    while rest:
        pieces.append("    " + rest[: width - 4])
        rest = rest[width - 4 :]
    return pieces


def _font() -> ImageFont.FreeTypeFont:
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSansMono.ttf"), 14)
