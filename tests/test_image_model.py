"""The local image model draws what it is told; seed, steps, guidance and negative prompt are what they say.

Pictures are judged by picture_judge.py, from their pixels.
"""

import io
import random
import statistics
from importlib.resources import files

import numpy
import pytest
from PIL import Image

import picture_judge
from localcloud.foundation_models import image_model
from localcloud.foundation_models.picture_words import Description, read

# The judge's centre of mass lies this far from the place it was told, at most: a seventh of the picture.
_NEAR = 1 / 7


def _prompts(count: int) -> list[tuple[str, dict[str, str]]]:
    """Prompts of colour, shape, background and place, with what must be seen; always the same."""
    chance = random.Random(2026)
    shapes = ("circle", "square", "triangle", "star", "heart", "ring", "cross", "moon")
    colours = (
        "red",
        "orange",
        "yellow",
        "green",
        "blue",
        "purple",
        "pink",
        "white",
        "grey",
        "black",
    )
    scenes = {
        "sky": "in the sky",
        "sunset": "at sunset",
        "night": "at night",
        "meadow": "over a meadow",
        "sea": "at sea",
    }
    alike = {
        ("orange", "sunset"), ("pink", "sunset"), ("purple", "sunset"),
        ("black", "night"), ("green", "meadow"), ("blue", "sea"),
    }  # fmt: skip
    places = (
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
    prompts = []
    while len(prompts) < count:
        shape, colour, place = (chance.choice(words) for words in (shapes, colours, places))
        background = chance.choice([*colours, *scenes])
        if colour == background or (colour, background) in alike:
            continue
        behind = scenes.get(background, f"on a {background} background")
        prompts.append(
            (
                f"a {colour} {shape} {behind}, {place}",
                {"shape": shape, "colour": colour, "background": background, "place": place},
            )
        )
    return prompts


def _wrong(png: bytes, wanted: dict[str, str]) -> list[str]:
    """What of the prompt isn't seen in the picture."""
    sight = picture_judge.look(png)
    if sight is None:
        return ["object"]
    wrong = [
        name for name in ("shape", "colour", "background") if getattr(sight, name) != wanted[name]
    ]
    x = 0.27 if "left" in wanted["place"] else 0.73 if "right" in wanted["place"] else 0.5
    y = 0.27 if "top" in wanted["place"] else 0.73 if "bottom" in wanted["place"] else 0.5
    if max(abs(sight.x - x), abs(sight.y - y)) > _NEAR:
        wrong.append("place")
    return wrong


def _pixels(png: bytes) -> numpy.ndarray:
    return numpy.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=float)


# Pictures take a tenth of a second each, on a machine that has nothing else to do.
many_pictures = pytest.mark.timeout(600)


@many_pictures
def test_a_prompt_gives_that_picture():
    failures = {}
    for seed, (prompt, wanted) in enumerate(_prompts(100)):
        if wrong := _wrong(image_model.draw(prompt, seed=seed), wanted):
            failures[prompt] = wrong
    assert len(failures) <= 10, failures


@pytest.mark.parametrize(
    "shape", ["circle", "square", "triangle", "star", "heart", "ring", "cross", "moon"]
)
def test_the_judge_knows_shapes_that_pillow_draws(shape):
    mask = picture_judge.drawn(shape, 5, 400)
    picture = numpy.where(mask[:, :, None], (200, 30, 30), (240, 240, 240)).astype(numpy.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png")
    sight = picture_judge.look(file.getvalue())
    assert (sight.shape, sight.colour, sight.background) == (shape, "red", "white")
    assert abs(sight.x - 0.5) < 0.15
    assert _wrong(
        file.getvalue(),
        {"shape": shape, "colour": "blue", "background": "black", "place": "top left"},
    ) == ["colour", "background", "place"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_picture():
    prompt = "a yellow star at night"
    first = image_model.draw(prompt, seed=4294967295)
    assert image_model.draw(prompt, seed=4294967295) == first
    assert (_pixels(image_model.draw(prompt, seed=1)) != _pixels(first)).any()


def _restlessness(png: bytes) -> float:
    """How much a picture of flat colours isn't flat: the median difference of neighbouring cells, 0..255."""
    cells = numpy.asarray(
        Image.open(io.BytesIO(png)).convert("RGB").resize((48, 48), Image.Resampling.BOX), float
    )
    return float(numpy.abs(numpy.diff(cells, axis=1)).mean())


@many_pictures
def test_more_steps_leave_less_noise_up_to_a_point():
    prompts = [
        f"a {colour} circle on a white background" for colour in ("red", "green", "blue", "purple")
    ]

    def wrong(steps: int) -> float:
        """How far the pictures are from those of very many steps, in levels of 0..255."""
        return statistics.mean(
            float(numpy.abs(_pixels(image_model.draw(p, seed=s, steps=steps)) - ends[s, p]).mean())
            for s in range(2)
            for p in prompts
        )

    ends = {
        (s, p): _pixels(image_model.draw(p, seed=s, steps=60)) for s in range(2) for p in prompts
    }
    two, six, twenty = wrong(2), wrong(6), wrong(20)
    assert two > 1.5 * six
    assert six > 1.5 * twenty


@many_pictures
def test_guidance_makes_the_picture_follow_the_prompt():
    def followed(guidance: float) -> int:
        return sum(
            not _wrong(image_model.draw(prompt, seed=seed, guidance=guidance), wanted)
            for seed, (prompt, wanted) in enumerate(_prompts(20))
        )

    without, one, four = followed(0), followed(1), followed(4)
    assert without <= 2  # the prompt isn't listened to
    assert without < one < four


@many_pictures
def test_a_colour_in_the_negative_prompt_is_seen_less():
    def share(negative_prompt: str) -> float:
        return statistics.mean(
            picture_judge.share_of_colour(
                image_model.draw(
                    "a large circle on a white background",
                    seed=seed,
                    negative_prompt=negative_prompt,
                ),
                "red",
            )
            for seed in range(20)
        )

    assert share("red") < share("") / 2


def test_the_steps_on_the_way_can_be_seen():
    on_the_way = list(image_model.draw_each_step("a red circle", seed=5, steps=6))
    assert len(on_the_way) == 7
    unrest = [_restlessness(png) for png in on_the_way]
    assert unrest[0] > unrest[3] > unrest[6]
    assert (
        _pixels(on_the_way[6]) == _pixels(image_model.draw("a red circle", seed=5, steps=6))
    ).all()


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("a red circle", Description(shape="circle", colour="red")),
        ("A RED circle on a blue background", Description("circle", "red", "blue")),
        ("on a blue background a red circle", Description("circle", "red", "blue")),
        ("blue background, red circle", Description("circle", "red", "blue")),
        ("background: blue; big ball, upper left", Description("circle", None, "blue", "top left", "large")),
        ("a ball in gold", Description("circle", "yellow")),
        ("a green star on the left of a white canvas", Description("star", "green", "white", "left")),
        ("a star on red", Description("star", None, "red")),
        ("a white moon in the blue sky", Description("moon", "white", "sky")),
        ("tiny hearts over a green meadow, middle", Description("heart", None, "meadow", "centre", "small")),
        ("red", Description(colour="red")),
        ("an astronaut riding a horse", Description()),
        ("", Description()),
    ],
)  # fmt: skip
def test_what_is_read_from_a_prompt(prompt, said):
    assert read(prompt) == said


def test_the_weights_are_small_enough_to_be_kept_with_the_code():
    file = files("localcloud.foundation_models").joinpath("image_model.onnx")
    assert len(file.read_bytes()) < 12_000_000


def test_unknown_words_change_nothing():
    plain = image_model.draw("a red heart on a white background", seed=3)
    adorned = image_model.draw("an exquisite red heart on a white background, masterpiece", seed=3)
    assert (_pixels(plain) == _pixels(adorned)).all()


@pytest.mark.parametrize("aspect_ratio", image_model.ASPECT_RATIOS)
def test_pictures_have_the_aspect_ratio_that_is_asked_for(aspect_ratio):
    picture = Image.open(
        io.BytesIO(
            image_model.draw(
                "a red circle on a white background, top left", aspect_ratio=aspect_ratio
            )
        )
    )
    across, down = map(int, aspect_ratio.split(":"))
    assert picture.width / picture.height == pytest.approx(across / down, rel=0.02)
    rows, columns = numpy.nonzero(numpy.asarray(picture.convert("L")) < 180)
    assert columns.mean() < picture.width / 2
    assert rows.mean() < picture.height / 2


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_every_file_says_that_a_local_stand_in_drew_it(output_format):
    picture = Image.open(io.BytesIO(image_model.draw("a red circle", output_format=output_format)))
    assert picture.format == output_format.upper()
    said = picture.text["Description"] if output_format == "png" else picture.getexif()[0x010E]
    assert "local stand-in" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"seed": -1}, "seed must be from 0 to 4294967295"),
        ({"seed": 2**32}, "seed must be from 0 to 4294967295"),
        ({"steps": 0}, "steps must be from 1"),
        ({"guidance": -0.1}, "guidance must be from 0"),
        ({"guidance": float("nan")}, "guidance must be from 0"),
        ({"aspect_ratio": "4:3"}, "aspect_ratio must be one of 1:1"),
        ({"output_format": "gif"}, "output_format must be png, jpeg or webp"),
    ],
)
def test_arguments_out_of_range(arguments, says):
    with pytest.raises(ValueError, match=says):
        image_model.draw("a red circle", **arguments)
