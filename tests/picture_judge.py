"""What a picture shows, told from its pixels alone: knows nothing of the image model or how it was trained.

The object is whatever differs from the edge of its row. Its shape is told by laying it over shapes that
Pillow draws, its colour and the background's by the nearest of some named colours.
"""

import io
import math
from dataclasses import dataclass

import numpy
from PIL import Image, ImageDraw, ImageFilter

WIDTH = 128  # pictures are judged at this width

# Names and values of CSS, and what is called the same in a paint box.
NAMED_COLOURS = {
    "red": ["#ff0000", "#dc143c", "#b22222"],
    "orange": ["#ffa500", "#ff8c00"],
    "yellow": ["#ffff00", "#ffd700"],
    "green": ["#008000", "#228b22", "#2e8b57", "#3cb371"],
    "blue": ["#0000ff", "#4169e1", "#0000cd"],
    "purple": ["#800080", "#8a2be2", "#663399", "#9932cc"],
    "pink": ["#ffc0cb", "#ff69b4", "#ff9ec7"],
    "white": ["#ffffff", "#f5f5f5"],
    "grey": ["#808080", "#999999"],
    "black": ["#000000", "#1c1c1c"],
}


@dataclass(frozen=True)
class Sight:
    """What is seen: words, and where the object's centre of mass lies, in shares of width and height."""

    shape: str
    colour: str
    background: str
    x: float
    y: float
    covers: float  # share of the picture that is the object


def look(png: bytes) -> Sight | None:
    """Look at a square picture; None where nothing stands out from the background."""
    pixels = pixels_of(png)
    mask = object_mask(pixels)
    if mask.mean() < 0.01:
        return None
    rows, columns = numpy.nonzero(mask)
    return Sight(
        shape=_shape(mask),
        colour=_colour(numpy.median(pixels[_inside(mask)], axis=0)),
        background=_background(pixels),
        x=(columns.mean() + 0.5) / WIDTH,
        y=(rows.mean() + 0.5) / WIDTH,
        covers=float(mask.mean()),
    )


def pixels_of(png: bytes) -> numpy.ndarray:
    """A picture's colours, shape (WIDTH, WIDTH, 3), 0..255."""
    picture = (
        Image.open(io.BytesIO(png)).convert("RGB").resize((WIDTH, WIDTH), Image.Resampling.BOX)
    )
    return numpy.asarray(picture, dtype=float)


def object_mask(pixels: numpy.ndarray) -> numpy.ndarray:
    """Where the object is: what is unlike both ends of its row."""
    left = numpy.median(pixels[:, :4], axis=1, keepdims=True)
    right = numpy.median(pixels[:, -4:], axis=1, keepdims=True)
    unlike = numpy.minimum(
        numpy.linalg.norm(pixels - left, axis=2), numpy.linalg.norm(pixels - right, axis=2)
    )
    picture = Image.fromarray(((unlike > 45) * 255).astype(numpy.uint8))
    return numpy.asarray(picture.filter(ImageFilter.MedianFilter(5))) > 127


def _inside(mask: numpy.ndarray) -> numpy.ndarray:
    """The mask without its rim, whose colours are mixed; the whole mask where nothing is left."""
    picture = Image.fromarray((mask * 255).astype(numpy.uint8)).filter(ImageFilter.MinFilter(5))
    inside = numpy.asarray(picture) > 127
    return inside if inside.any() else mask


def share_of_colour(png: bytes, colour: str) -> float:
    """How much of a picture is nearer to this named colour than to any other."""
    pixels = pixels_of(png)[::4, ::4].reshape(-1, 3)
    return float(numpy.mean([_colour(pixel) == colour for pixel in pixels]))


def _linear(rgb: numpy.ndarray) -> numpy.ndarray:
    return (numpy.asarray(rgb) / 255) ** 2.2


def _lab(rgb: numpy.ndarray) -> numpy.ndarray:
    """CIE Lab: colours that look alike are near one another."""
    xyz = _linear(rgb) @ numpy.array(
        [[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]]
    )
    f = numpy.cbrt(xyz / numpy.array([0.9505, 1.0, 1.089]))
    return numpy.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1
    )


_NAMES, _VALUES = zip(
    *((name, _lab(tuple(bytes.fromhex(c[1:])))) for name, cs in NAMED_COLOURS.items() for c in cs),
    strict=True,
)


def _colour(rgb: numpy.ndarray) -> str:
    return _NAMES[int(numpy.argmin(numpy.linalg.norm(numpy.array(_VALUES) - _lab(rgb), axis=1)))]


def _background(pixels: numpy.ndarray) -> str:
    """A colour, or a scene where top and bottom differ or it is as dark and blue as a night."""
    edges = numpy.concatenate([pixels[:, :4], pixels[:, -4:]], axis=1)
    top, bottom = (numpy.median(part.reshape(-1, 3), axis=0) for part in (edges[:12], edges[-12:]))
    if top.sum() < 150 and bottom[2] > bottom[0] + 30 and bottom.sum() < 280:
        return "night"
    if numpy.linalg.norm(top - bottom) > 60:
        if top[0] > top[2] + 60:
            return "sunset"
        if bottom[1] > bottom[2] + 30:
            return "meadow"
        return "sea" if bottom.sum() < top.sum() else "sky"
    return _colour(numpy.median(edges.reshape(-1, 3), axis=0))


def _around(sides: int, radius: float = 1.0, start: float = -90.0) -> list[tuple[float, float]]:
    angles = [math.radians(start + 360 * i / sides) for i in range(sides)]
    return [(radius * math.cos(a), radius * math.sin(a)) for a in angles]


def _outlines() -> dict[str, list[tuple[bool, list[tuple[float, float]]]]]:
    """Each shape as polygons that are filled or cut out, one after another; y grows downwards."""
    circle = _around(60)
    inner, outer = _around(5, 0.45, -54), _around(5)
    turns = [2 * math.pi * i / 60 for i in range(60)]
    heart = [
        (
            math.sin(t) ** 3,
            -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 16,
        )
        for t in turns
    ]
    square = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    return {
        "circle": [(True, circle)],
        "square": [(True, square)],
        "triangle": [(True, _around(3))],
        "star": [(True, [point for pair in zip(outer, inner, strict=True) for point in pair])],
        "heart": [(True, heart)],
        "ring": [(True, circle), (False, [(0.5 * x, 0.5 * y) for x, y in circle])],
        "cross": [
            (True, [(x, 0.32 * y) for x, y in square]),
            (True, [(0.32 * x, y) for x, y in square]),
        ],
        "moon": [(True, circle), (False, [(0.46 + 0.82 * x, 0.82 * y) for x, y in circle])],
    }


_GRID = 48


def _normalised(mask: numpy.ndarray) -> numpy.ndarray:
    """The object alone, its centre of mass in the middle, drawn to one spread."""
    rows, columns = numpy.nonzero(mask)
    x, y = columns.mean(), rows.mean()
    spread = math.sqrt(((columns - x) ** 2 + (rows - y) ** 2).mean()) or 1.0
    at = (numpy.arange(_GRID) + 0.5) / _GRID * 5 - 2.5
    take_rows = numpy.rint(y + at * spread).astype(int)
    take_columns = numpy.rint(x + at * spread).astype(int)
    height, width = mask.shape
    inside = numpy.outer(
        (take_rows >= 0) & (take_rows < height), (take_columns >= 0) & (take_columns < width)
    )
    return inside & mask[numpy.ix_(take_rows.clip(0, height - 1), take_columns.clip(0, width - 1))]


def drawn(shape: str, degrees: float = 0.0, width: int = 200) -> numpy.ndarray:
    """A mask of this shape, drawn by Pillow and turned."""
    picture = Image.new("1", (width, width))
    pen = ImageDraw.Draw(picture)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    for fill, points in _outlines()[shape]:
        pen.polygon(
            [
                (
                    width / 2 + width * 0.3 * (x * cos - y * sin),
                    width / 2 + width * 0.3 * (x * sin + y * cos),
                )
                for x, y in points
            ],
            fill=int(fill),
        )
    return numpy.asarray(picture)


_TEMPLATES = [
    (shape, _normalised(drawn(shape, degrees)))
    for shape in _outlines()
    for degrees in (-12, -8, -4, 0, 4, 8, 12)
]


def _shape(mask: numpy.ndarray) -> str:
    """The shape that covers the object best: most in common, for what either covers. "blob" below 0.7."""
    seen = _normalised(mask)
    common, shape = max(
        ((seen & template).sum() / (seen | template).sum(), shape) for shape, template in _TEMPLATES
    )
    return shape if common >= 0.7 else "blob"
