"""Text to picture on this computer: a small diffusion model of our own, docs/image-model.md.

A picture begins as noise. In each step the model says, twice, what the clean picture is: once knowing the
prompt, once knowing the negative prompt or nothing. Guidance goes from the second answer through the first
and beyond, the less so the less noise is left; then there is less noise by a step. The seed is that of the
first noise, and of a place where the prompt names none: there is no other chance.
"""

import io
import math
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import numpy as np
from PIL import Image, ImageFilter
from PIL.PngImagePlugin import PngInfo

from . import picture_words
from .picture_words import Description

WIDTH = 48  # pixels each way, as the model draws
SIDE = 512  # pixels each way of a square that is handed out; oblongs have about its area
ASPECT_RATIOS = ("1:1", "16:9", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21")
STEPS, GUIDANCE = 20, 4.0
MOST_STEPS, MOST_GUIDANCE = 150, 35.0
NOTE = (
    "local stand-in: drawn by the Serverless Lab Kit's own small model on this computer, "
    "not by a foundation model of Amazon Bedrock"
)
# Most of the steps go to where there is much noise, as in training/train.py.
_SHIFT = 3.0
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Step:
    """A picture on its way, after `number` steps: as it is, `noise` of it noise (0..1), and what the model
    takes it for. Both have shape (WIDTH, WIDTH, 3), -1..1 where they are clean."""

    number: int
    noise: float
    picture: np.ndarray
    guess: np.ndarray


def draw(
    prompt: str,
    *,
    negative_prompt: str = "",
    seed: int = 0,
    steps: int = STEPS,
    guidance: float = GUIDANCE,
    aspect_ratio: str = "1:1",
    output_format: str = "png",
) -> bytes:
    """Draw a picture: a file in `output_format` (png, jpeg or webp) that says what drew it.

    The same arguments give the same bytes on the same machine. `picture_words.read` says what of a
    prompt counts. Raises ValueError where an argument is out of its range.
    """
    *_, last = denoise(
        prompt, negative_prompt=negative_prompt, seed=seed, steps=steps, guidance=guidance
    )
    return encode(
        enlarge(last.picture, aspect_ratio, picture_words.read(prompt).place or ""),
        output_format,
        f"prompt: {prompt}; negative prompt: {negative_prompt}; "
        f"seed {seed}, {steps} steps, guidance {guidance:g}",
    )


def draw_each_step(
    prompt: str,
    *,
    negative_prompt: str = "",
    seed: int = 0,
    steps: int = STEPS,
    guidance: float = GUIDANCE,
) -> Iterator[bytes]:
    """The picture before the first step and after each one, with the noise still in it, as PNG files."""
    for step in denoise(
        prompt, negative_prompt=negative_prompt, seed=seed, steps=steps, guidance=guidance
    ):
        yield encode(
            enlarge(step.picture, "1:1", ""),
            "png",
            f"prompt: {prompt}; step {step.number} of {steps}, {step.noise:.0%} noise",
        )


def denoise(
    prompt: str, *, negative_prompt: str, seed: int, steps: int, guidance: float
) -> Iterator[Step]:
    """Take the noise of this seed away step by step: the noise itself, then the picture after each step."""
    if not 0 <= seed <= 4294967295:
        raise ValueError(f"seed must be from 0 to 4294967295, not {seed}")
    if not 1 <= steps <= MOST_STEPS:
        raise ValueError(f"steps must be from 1 to {MOST_STEPS}, not {steps}")
    if not 0 <= guidance <= MOST_GUIDANCE:
        raise ValueError(f"guidance must be from 0 to {MOST_GUIDANCE:g}, not {guidance:g}")
    said = [_with_a_place(picture_words.read(prompt), seed), picture_words.read(negative_prompt)]
    words = np.array([each.numbers() for each in said], dtype=np.int64)
    evenly = np.linspace(1, 0, steps + 1)
    levels = (_SHIFT * evenly / (1 + (_SHIFT - 1) * evenly)).astype(np.float32)
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(
        (3, WIDTH, WIDTH), dtype=np.float32
    )
    picture, guess = noise, np.zeros_like(noise)
    yield Step(0, 1.0, _upright(picture), _upright(guess))
    for number, (level, following) in enumerate(zip(levels, levels[1:], strict=False), start=1):
        with_prompt, without = _clean(picture, level, words)
        # What the prompt is about is settled while there is much noise; later, guidance only frays the edges.
        # (Kynkäänniemi et al. 2024, "Applying guidance in a limited interval", found the like.)
        share = min(guidance, 1 + (guidance - 1) * level)
        guess = (without + share * (with_prompt - without)).clip(-1, 1)
        picture = guess + (picture - guess) * (following / level)
        yield Step(number, float(following), _upright(picture), _upright(guess))


def _with_a_place(said: Description, seed: int) -> Description:
    """The description of a shape or colour with a place, by the seed where it says none, and a size.

    An object that may be anywhere, in any size, comes out as a mixture of several.
    """
    if said.shape is None and said.colour is None:
        return said
    place = random.Random(seed).choice(picture_words.PLACES)
    return replace(said, place=said.place or place, size=said.size or "large")


def _clean(picture: np.ndarray, level: np.floating, words: np.ndarray) -> np.ndarray:
    """What the model takes a noisy picture for, under each of several rows of words."""
    count = len(words)
    with _one_at_a_time:
        (answer,) = _session().run(
            None,
            {
                "noisy": np.broadcast_to(picture, (count, *picture.shape)),
                "level": np.full(count, level, dtype=np.float32),
                "words": words,
            },
        )
    return answer


@cache
def _session():
    """The model, loaded when the first picture is asked for. One thread: answers don't depend on how many
    processors there are."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    weights = files(__package__).joinpath("image_model.onnx").read_bytes()
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])


def _upright(picture: np.ndarray) -> np.ndarray:
    return picture.transpose(1, 2, 0)


def enlarge(picture: np.ndarray, aspect_ratio: str, place: str) -> Image.Image:
    """A picture of the model's in the size and shape that is handed out.

    The model draws squares. What an oblong has more, the square's edge is continued for: on the side away
    from the object, so that "left" is left there too.
    """
    if aspect_ratio not in ASPECT_RATIOS:
        raise ValueError(
            f"aspect_ratio must be one of {', '.join(ASPECT_RATIOS)}, not {aspect_ratio!r}"
        )
    across, down = map(int, aspect_ratio.split(":"))
    short, long = (
        round(SIDE * math.sqrt(ratio) / 8) * 8
        for ratio in (min(across, down) / max(across, down), max(across, down) / min(across, down))
    )
    before = {"left": 0, "top": 0, "right": long - short, "bottom": long - short}
    along = ("left", "right") if across > down else ("top", "bottom")
    first = next((before[side] for side in along if side in place), (long - short) // 2)
    margins = [(0, 0), (first, long - short - first), (0, 0)]
    if down >= across:
        margins[0], margins[1] = margins[1], margins[0]
    square = _sharper(((picture.clip(-1, 1) + 1) * 127.5).round().astype(np.uint8), short)
    return Image.fromarray(np.pad(square, margins, "edge"))


def _sharper(colours: np.ndarray, side: int) -> np.ndarray:
    """Enlarge to a width of `side` pixels, with edges as narrow as they were: each pixel moves towards the
    darkest or the brightest of the small picture's pixels around it, whichever is nearer."""
    small = Image.fromarray(colours)
    smooth, darkest, brightest = (
        np.asarray(version.resize((side, side), method), dtype=np.float32)
        for version, method in (
            (small, Image.Resampling.BICUBIC),
            (small.filter(ImageFilter.MinFilter(3)), Image.Resampling.BILINEAR),
            (small.filter(ImageFilter.MaxFilter(3)), Image.Resampling.BILINEAR),
        )
    )
    span = np.maximum(brightest - darkest, 1)
    share = ((smooth - darkest) / span - 0.5) * 2.5 + 0.5
    return (darkest + span * share.clip(0, 1)).clip(0, 255).round().astype(np.uint8)


def encode(picture: Image.Image, output_format: str, note: str) -> bytes:
    """The picture as a file. In all formats its description says that a local stand-in drew it."""
    description = f"{NOTE}. {note}"
    file = io.BytesIO()
    if output_format == "png":
        text = PngInfo()
        text.add_itxt("Description", description)
        picture.save(file, "png", pnginfo=text)
    elif output_format in ("jpeg", "webp"):
        exif = Image.Exif()
        exif[0x010E] = description  # ImageDescription
        picture.save(file, output_format, exif=exif, quality=92)
    else:
        raise ValueError(f"output_format must be png, jpeg or webp, not {output_format!r}")
    return file.getvalue()
