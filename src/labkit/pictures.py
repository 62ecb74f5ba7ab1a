"""Pictures of a photograph and its thumbnail: whether they show the same, and both side by side."""

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps, ImageStat

# Of 255 steps. JPEG's losses give 3 to 6 on the kit's photographs; another photograph gives 50 and more.
MOST_DIFFERENCE = 15.0
_INK, _FAINT, _PAPER = "#1f2933", "#52606d", "#ffffff"
_WIDTH, _MARGIN, _LINE = 1000, 24, 19


@dataclass(frozen=True)
class Verdict:
    """Whether a thumbnail is right; `faults` says in words what is wrong with it."""

    size: tuple[int, int] | None
    mean_difference: float | None
    faults: tuple[str, ...]

    @property
    def right(self) -> bool:
        """No fault was found."""
        return not self.faults


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height of a picture in pixels, upright."""
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).size


def judge_thumbnail(photo: bytes, thumbnail: bytes, longest_side: int) -> Verdict:
    """Compare a thumbnail with one that Pillow makes here of the same photograph."""
    original = Image.open(io.BytesIO(photo))
    try:
        found = Image.open(io.BytesIO(thumbnail))
        found.load()
    except (OSError, SyntaxError) as error:
        return Verdict(None, None, (f"it is no picture: {error}",))
    faults = []
    if found.format != original.format:
        faults.append(f"it is a {found.format}, and the photograph a {original.format}")
    expected = ImageOps.exif_transpose(original).convert("RGB")
    expected.thumbnail((longest_side, longest_side))
    if max(found.size) > longest_side:
        faults.append(f"it is {found.size[0]} x {found.size[1]}, more than {longest_side}")
    if any(abs(a - b) > 1 for a, b in zip(found.size, expected.size, strict=True)):
        faults.append(
            f"its proportions are not the photograph's: {found.size[0]} x {found.size[1]} "
            f"instead of {expected.size[0]} x {expected.size[1]}"
        )
    difference = ImageChops.difference(found.convert("RGB").resize(expected.size), expected)
    mean = sum(ImageStat.Stat(difference).mean) / 3
    if mean > MOST_DIFFERENCE:
        faults.append(f"it does not show the photograph: mean difference {mean:.1f} of 255")
    return Verdict(found.size, round(mean, 2), tuple(faults))


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
