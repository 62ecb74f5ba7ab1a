"""Whether a thumbnail is right: its size, what it shows, which way is up, its transparency, its format."""

import io
import struct
import warnings
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageOps, ImageStat

# Of 255 steps. JPEG's losses give 3 to 6 on the kit's photographs; another picture, or the same one turned,
# gives 25 and more.
MOST_DIFFERENCE = 15.0
# What Pillow reads by itself; EPS, for one, it gives to another program of the computer's.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
# More than any upload of the checks has. A file of a few bytes may say that it has billions.
MOST_PIXELS = 20_000_000
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


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


def judge(
    upload: bytes, thumbnail: bytes, longest_side: int, content_type: str | None = None
) -> Verdict:
    """Compare a thumbnail with the upload that it was made of, both as a viewer would show them.

    `content_type` is that of the thumbnail's object; without it, it is not looked at. The size may be one
    pixel off, because there is more than one way to round.
    """
    with warnings.catch_warnings():
        # What Pillow thinks of a learner's file is no warning of ours.
        warnings.simplefilter("ignore")
        try:
            found = read(thumbnail)
        except ValueError as error:
            return Verdict(None, None, (str(error),))
        original = Image.open(io.BytesIO(upload))
        faults = _faults_of_format(original, found, content_type)
        shown, wanted = as_shown(found), as_shown(original)
    faults += _faults_of_size(shown.size, wanted.size, longest_side)
    wanted = wanted.resize(fitted(wanted.size, longest_side), Image.Resampling.BOX)
    shown = shown.resize(wanted.size)
    alpha = _difference(shown.getchannel("A"), wanted.getchannel("A"))
    if alpha > MOST_DIFFERENCE:
        faults.append("what is transparent in the upload is not transparent in it")
    mean = max(
        _difference(_over(shown, ground), _over(wanted, ground)) for ground in (_WHITE, _BLACK)
    )
    if mean > MOST_DIFFERENCE and alpha <= MOST_DIFFERENCE:
        faults.append(_fault_of_picture(shown, wanted, mean))
    return Verdict(found.size, round(mean, 2), tuple(faults))


def read(content: bytes) -> Image.Image:
    """A picture that learner code has made, unpacked. Raises ValueError, whose text says why it is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = Image.open(io.BytesIO(content), formats=_FORMATS)
            if found.width * found.height > MOST_PIXELS:  # known before anything is unpacked
                raise Image.DecompressionBombError(f"{found.width} x {found.height} pixels")
            found.load()
        except (OSError, SyntaxError, ValueError, EOFError, struct.error,
                Image.DecompressionBombError) as error:  # fmt: skip
            raise ValueError(f"it is no picture: {error}") from None
    return found


def fitted(size: tuple[int, int], longest_side: int) -> tuple[int, int]:
    """The width and height of the thumbnail of a picture of that size: proportions kept, never enlarged."""
    scale = min(1, longest_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def as_shown(image: Image.Image) -> Image.Image:
    """The picture that a viewer shows, in mode RGBA: upright, the first of an animation, 8 bits a channel."""
    if image.mode.startswith("I;16"):  # Pillow's own conversion cuts 16 bits off at 255: all white
        image = image.point(lambda value: value / 257).convert("L")
    image = ImageOps.exif_transpose(image)
    return image.convert("RGBA") if image.mode != "CMYK" else image.convert("RGB").convert("RGBA")


def _faults_of_format(
    original: Image.Image, found: Image.Image, content_type: str | None
) -> list[str]:
    faults = []
    kind, wanted = _kind(found), _kind(original)
    if kind != wanted:
        faults.append(f"it is a {kind}, and the upload a {wanted}")
    elif content_type not in (None, Image.MIME[kind]):
        faults.append(f"its content type is {content_type}, and the file a {kind}")
    if found.mode == "CMYK":
        faults.append("its colours are CMYK, which is for printing and not for a screen")
    return faults


def _kind(image: Image.Image) -> str | None:
    """The format by its name, JPEG for MPO: viewers show the first of its pictures, which is a JPEG."""
    return "JPEG" if image.format == "MPO" else image.format


def _faults_of_size(
    found: tuple[int, int], original: tuple[int, int], longest_side: int
) -> list[str]:
    shown = f"{found[0]} x {found[1]}"
    if max(found) > longest_side:
        return [f"it is {shown}, which does not fit into {longest_side} x {longest_side}"]
    if any(now > before for now, before in zip(found, original, strict=True)):
        return [f"it is {shown}, which is larger than the upload's {original[0]} x {original[1]}"]
    expected = fitted(original, longest_side)
    if any(abs(a - b) > 1 for a, b in zip(found, expected, strict=True)):
        wanted = f"{expected[0]} x {expected[1]}"
        return [f"its proportions are not the picture's: it is {shown} instead of {wanted}"]
    return []


def _fault_of_picture(shown: Image.Image, wanted: Image.Image, mean: float) -> str:
    """Say that it shows something else, or the right thing the wrong way round."""
    for turn in Image.Transpose:
        turned = shown.transpose(turn).resize(wanted.size)
        if _difference(_over(turned, _WHITE), _over(wanted, _WHITE)) < mean / 2:
            return "it shows the picture turned or mirrored, not upright"
    return f"it does not show the picture: mean difference {mean:.1f} of 255"


def _over(image: Image.Image, ground: tuple[int, int, int]) -> Image.Image:
    below = Image.new("RGBA", image.size, (*ground, 255))
    return Image.alpha_composite(below, image).convert("RGB")


def _difference(one: Image.Image, other: Image.Image) -> float:
    means = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(means) / len(means)
