"""Pictures that learner code has made, for the pages of a class: drawn anew, so that only pixels come along.

A check gives them by `show`; they lie in its result as data URIs.
"""

import base64
import io

from PIL import Image

from .. import thumbnails
from .learner_text import clean

LARGEST_SIDE = 160
MOST_PICTURES = (
    4  # of a check, the last ones: one that fails ends with the picture that made it fail
)
_LARGEST_BYTES = 32_000
_shown: list[tuple[str, str]] = []


def show(content: bytes, words: str) -> None:
    """Keep a picture for the result of the check that runs; `words` are for those who don't see it.

    What can't be drawn is left out without a word: whether it is right is the check's to say.
    """
    try:
        _shown.append((clean(words, 200), redrawn(content)))
    except ValueError:
        return
    del _shown[:-MOST_PICTURES]


def take() -> tuple[tuple[str, str], ...]:
    """The pictures shown since the last time, each as its words and a data URI, and forget them."""
    taken = tuple(_shown)
    _shown.clear()
    return taken


def redrawn(content: bytes) -> str:
    """The picture's pixels as a data URI: WebP, at most 160 x 160. Raises ValueError where there are none."""
    pixels = thumbnails.as_shown(thumbnails.read(content))
    pixels.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    bare = Image.new(
        "RGBA", pixels.size
    )  # without what Pillow carries from file to file, such as EXIF
    bare.paste(pixels)
    output = io.BytesIO()
    bare.save(output, "WEBP", quality=75, exif=b"", icc_profile=b"", xmp=b"")
    if len(output.getvalue()) > _LARGEST_BYTES:
        raise ValueError("too many bytes")
    return "data:image/webp;base64," + base64.b64encode(output.getvalue()).decode()
