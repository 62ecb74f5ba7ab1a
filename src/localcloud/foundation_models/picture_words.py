"""What a prompt says about a picture, in the words that the local image model knows.

The model was trained on scenes of one object: a shape in a colour, on a background, at a place, in a size.
`read` finds these five in a prompt. A word that it doesn't know changes nothing, and what a prompt leaves
unsaid is up to the seed. docs/image-model.md is the model's card.
"""

import re
from dataclasses import astuple, dataclass

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "grey", "black")
SHAPES = ("circle", "square", "triangle", "star", "heart", "ring", "cross", "moon")
# A background is one of the colours, or a scene.
SCENES = ("sky", "sunset", "night", "meadow", "sea")
BACKGROUNDS = COLOURS + SCENES
PLACES = (
    "top left",
    "top",
    "top right",
    "left",
    "centre",
    "right",
    "bottom left",
    "bottom",
    "bottom right",
)
SIZES = ("small", "medium", "large")


@dataclass(frozen=True)
class Description:
    """What a prompt says, each in a word of the lists above; None for what it doesn't say."""

    shape: str | None = None
    colour: str | None = None
    background: str | None = None
    place: str | None = None
    size: str | None = None

    def numbers(self) -> list[int]:
        """The five as the model takes them: a word's number in its list, from 1; 0 for unsaid."""
        lists = (SHAPES, COLOURS, BACKGROUNDS, PLACES, SIZES)
        return [
            0 if word is None else words.index(word) + 1
            for word, words in zip(astuple(self), lists, strict=True)
        ]


_OTHER_WORDS = {
    SHAPES: {
        "ball": "circle",
        "disc": "circle",
        "disk": "circle",
        "dot": "circle",
        "sun": "circle",
        "box": "square",
        "pyramid": "triangle",
        "donut": "ring",
        "doughnut": "ring",
        "hoop": "ring",
        "plus": "cross",
        "crescent": "moon",
    },
    COLOURS: {
        "scarlet": "red",
        "crimson": "red",
        "gold": "yellow",
        "golden": "yellow",
        "violet": "purple",
        "lilac": "purple",
        "rose": "pink",
        "gray": "grey",
    },
    SCENES: {
        "dusk": "sunset",
        "evening": "sunset",
        "midnight": "night",
        "grass": "meadow",
        "field": "meadow",
        "lawn": "meadow",
        "ocean": "sea",
        "water": "sea",
    },
    SIZES: {
        "tiny": "small",
        "little": "small",
        "big": "large",
        "huge": "large",
        "giant": "large",
    },
}
_UP_AND_DOWN = {
    "top": "top",
    "upper": "top",
    "above": "top",
    "bottom": "bottom",
    "lower": "bottom",
    "below": "bottom",
}
_LEFT_AND_RIGHT = {"left": "left", "right": "right"}
_MIDDLE = ("centre", "center", "middle", "centered", "centred")
_GROUND = ("background", "backdrop", "ground", "canvas", "paper", "wall")
_BEFORE_A_BACKGROUND = ("on", "against", "over", "before", "front", "upon")
_PASSED_OVER = ("a", "an", "the", "of", "plain", "flat", "light", "dark", "bright", "is", "in")


def _known(words: tuple[str, ...]) -> dict[str, str]:
    known = {word: word for word in words} | _OTHER_WORDS.get(words, {})
    if words is SHAPES:
        known |= {f"{word}s": meaning for word, meaning in known.items()} | {
            "crosses": "cross",
            "boxes": "square",
        }
    return known


_KNOWN_SHAPES, _KNOWN_COLOURS, _KNOWN_SCENES, _KNOWN_SIZES = map(
    _known, (SHAPES, COLOURS, SCENES, SIZES)
)


def read(prompt: str) -> Description:
    """Read a prompt, at most one word for each of the five: the first that stands there.

    A colour is the background's where it follows "on", "against" and their like, stands before
    "background", or comes after "background"; any other is the object's.
    """
    words = re.findall(r"[a-z]+", prompt.lower())
    shape = _first(words, _KNOWN_SHAPES)
    colour = background = None
    for position, word in enumerate(words):
        if word in _KNOWN_COLOURS:
            if _is_of_the_background(words, position):
                background = background or _KNOWN_COLOURS[word]
            elif not _names_a_scene(words, position):
                colour = colour or _KNOWN_COLOURS[word]
    return Description(
        shape=shape,
        colour=colour,
        background=background or _first(words, _KNOWN_SCENES),
        place=_place(words),
        size=_first(words, _KNOWN_SIZES),
    )


def _first(words: list[str], known: dict[str, str]) -> str | None:
    return next((known[word] for word in words if word in known), None)


def _is_of_the_background(words: list[str], position: int) -> bool:
    following = next((w for w in words[position + 1 :] if w not in _PASSED_OVER), None)
    if following in _GROUND:
        return True
    if following in _KNOWN_SHAPES or following in _KNOWN_SCENES:
        return False
    preceding = next((w for w in reversed(words[:position]) if w not in _PASSED_OVER), None)
    return preceding in _GROUND or preceding in _BEFORE_A_BACKGROUND


def _names_a_scene(words: list[str], position: int) -> bool:
    """Whether the colour only adorns a scene: a blue sky, green grass."""
    return position + 1 < len(words) and words[position + 1] in _KNOWN_SCENES


def _place(words: list[str]) -> str | None:
    height = _first(words, _UP_AND_DOWN)
    side = _first(words, _LEFT_AND_RIGHT)
    if height or side:
        return " ".join(part for part in (height, side) if part)
    return "centre" if any(word in _MIDDLE for word in words) else None
