"""The scenes that the image model is trained on, drawn by this program: no pictures of anybody's.

A scene is one object on a background. Shapes are drawn from signed distances, so that their edges are smooth.
"""

import math

import torch

from localcloud.foundation_models.picture_words import BACKGROUNDS, COLOURS, PLACES, SHAPES, SIZES

WIDTH = 48  # pixels, each way

_RGB = {
    "red": (220, 40, 40),
    "orange": (245, 140, 30),
    "yellow": (250, 215, 50),
    "green": (45, 160, 70),
    "blue": (45, 90, 215),
    "purple": (130, 55, 175),
    "pink": (245, 145, 190),
    "white": (246, 246, 246),
    "grey": (130, 130, 130),
    "black": (22, 22, 22),
}
# Colours at the top and at the bottom, and whether they meet at a horizon rather than run into one another.
_SCENES = {
    "sky": ((85, 160, 230), (170, 210, 242), False),
    "sunset": ((245, 150, 70), (120, 60, 120), False),
    "night": ((10, 14, 45), (35, 40, 95), False),
    "meadow": ((150, 200, 240), (80, 160, 70), True),
    "sea": ((160, 210, 240), (20, 95, 165), True),
}
# What could hardly be seen is not in the data.
_HIDDEN = {
    "sunset": ("orange", "pink", "purple"),
    "night": ("black",),
    "meadow": ("green",),
    "sea": ("blue",),
}
_RADIUS = {"small": 0.14, "medium": 0.2, "large": 0.27}  # of the width


def _pairs() -> torch.Tensor:
    """All (colour, background) that can be told apart, by number from 1: shape (pairs, 2)."""
    return torch.tensor(
        [
            (i + 1, j + 1)
            for i, colour in enumerate(COLOURS)
            for j, background in enumerate(BACKGROUNDS)
            if colour != background and colour not in _HIDDEN.get(background, ())
        ]
    )


_PAIRS = _pairs()
_COLOUR_TABLE = torch.tensor([_RGB[name] for name in COLOURS]) / 127.5 - 1
_TOPS = torch.tensor([_SCENES[n][0] if n in _SCENES else _RGB[n] for n in BACKGROUNDS]) / 127.5 - 1
_BOTTOMS = (
    torch.tensor([_SCENES[n][1] if n in _SCENES else _RGB[n] for n in BACKGROUNDS]) / 127.5 - 1
)
_HORIZON = torch.tensor([n in _SCENES and _SCENES[n][2] for n in BACKGROUNDS])
_RADII = torch.tensor([_RADIUS[name] for name in SIZES])


def where(place: str) -> tuple[float, float]:
    """The point that a word of place means, in shares of width and height."""
    x = 0.27 if "left" in place else 0.73 if "right" in place else 0.5
    y = 0.27 if "top" in place else 0.73 if "bottom" in place else 0.5
    return x, y


_CENTRES = torch.tensor([where(place) for place in PLACES])


def _distances(x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
    """Signed distance to each shape of radius about 1, in the order of SHAPES; y grows downwards."""

    def box(half_width: float, half_height: float) -> torch.Tensor:
        return torch.maximum(x.abs() - half_width, y.abs() - half_height)

    from_centre = torch.hypot(x, y)
    circle = from_centre - 0.95
    square = box(0.83, 0.83)
    triangle = torch.maximum(y - 0.6, 0.866 * x.abs() - 0.5 * y - 0.52)
    sector = torch.remainder(torch.atan2(x, -y) + math.pi / 5, 2 * math.pi / 5) - math.pi / 5
    along, across = from_centre * sector.cos(), (from_centre * sector.sin()).abs()
    # From the tip at 1.1 to the notch between two tips.
    notch_x, notch_y = 0.48 * math.cos(math.pi / 5), 0.48 * math.sin(math.pi / 5)
    slope = math.hypot(1.1 - notch_x, notch_y)
    star = ((along - 1.1) * notch_y + across * (1.1 - notch_x)) / slope
    u, v = (x + y + 0.1) / math.sqrt(2), (y + 0.1 - x) / math.sqrt(2)
    half = 0.6
    heart = torch.minimum(
        torch.maximum(u.abs() - half, v.abs() - half),
        torch.minimum(torch.hypot(u, v + half) - half, torch.hypot(u + half, v) - half),
    )
    ring = (from_centre - 0.72).abs() - 0.26
    cross = torch.minimum(box(0.98, 0.3), box(0.3, 0.98))
    moon = torch.maximum(circle, 0.78 - torch.hypot(x - 0.46, y))
    return [circle, square, triangle, star, heart, ring, cross, moon]


def draw(count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw `count` scenes: pictures (count, 3, WIDTH, WIDTH) in -1..1, and what is in them (count, 5),
    numbered as `Description.numbers`, and the share of the object in each pixel (count, 1, WIDTH, WIDTH)."""

    def chosen(of: int) -> torch.Tensor:
        return torch.randint(of, (count,), generator=generator)

    def spread(*shape: int) -> torch.Tensor:
        return torch.rand(count, *shape, generator=generator) * 2 - 1

    shape, place, size = chosen(len(SHAPES)), chosen(len(PLACES)), chosen(len(SIZES))
    colour, background = (_PAIRS[chosen(len(_PAIRS))] - 1).unbind(1)

    radius = _RADII[size] * (1 + 0.08 * spread())
    centre = _CENTRES[place] + 0.035 * spread(2)
    centre = torch.maximum(
        torch.minimum(centre, 1 - radius[:, None] - 0.01), radius[:, None] + 0.01
    )
    turn = math.radians(9) * spread()
    line = (torch.arange(WIDTH) + 0.5) / WIDTH
    dx = (line[None, None, :] - centre[:, 0, None, None]) / radius[:, None, None]
    dy = (line[None, :, None] - centre[:, 1, None, None]) / radius[:, None, None]
    cos, sin = turn.cos()[:, None, None], turn.sin()[:, None, None]
    x, y = dx * cos + dy * sin, dy * cos - dx * sin
    distance = torch.empty(count, WIDTH, WIDTH)
    for number in range(len(SHAPES)):
        of_this = shape == number
        if of_this.any():
            distance[of_this] = _distances(x[of_this], y[of_this])[number]
    cover = (0.5 - distance * radius[:, None, None] * WIDTH).clamp(0, 1)[:, None]

    shade = 0.06
    paint = (_COLOUR_TABLE[colour] + shade * spread(3))[:, :, None, None]
    top, bottom = (_TOPS[background], _BOTTOMS[background])
    tint = shade * spread(3)
    down = line[None, :].expand(count, WIDTH)
    horizon = 0.6 + 0.05 * spread()
    edge = ((down - horizon[:, None]) * WIDTH + 0.5).clamp(0, 1)
    mix = torch.where(_HORIZON[background][:, None], edge, down)[:, None, :, None]
    ground = (top + tint)[:, :, None, None] * (1 - mix) + (bottom + tint)[:, :, None, None] * mix
    pictures = (ground * (1 - cover) + paint * cover).clamp(-1, 1)
    return pictures, torch.stack([shape, colour, background, place, size], 1) + 1, cover


def captions(truth: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """What the model is told of each scene: a part of it, at times nothing, at times something wrong.

    Saying nothing is what guidance needs. The wrong captions stand for those of pictures collected from
    the web: a model that learned from them doubts its prompt, and guidance makes it believe.
    """
    count = len(truth)

    def by_chance(share: float, *shape: int) -> torch.Tensor:
        return torch.rand(count, *shape, generator=generator) < share

    others = truth[torch.randperm(count, generator=generator)]
    told = torch.where(by_chance(0.08, 1), others, truth)
    told = torch.where(by_chance(0.15, truth.shape[1]), 0, told)
    return torch.where(by_chance(0.1, 1), 0, told)
