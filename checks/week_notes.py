"""A week's notes, with facts that nobody can know: names and numbers are drawn by the run's seed."""

from dataclasses import dataclass, replace
from random import Random

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")

_NAMES = ("Amina", "Bruno", "Chiara", "Dilan", "Esther", "Farid", "Greta", "Hugo", "Ines", "Jonas")
_TEAMS = ("Heron", "Walnut", "Copper", "Juniper", "Basalt", "Saffron", "Lantern", "Orchid")
_SHOPS = ("bakery", "shoe", "toy", "garden", "fishing", "music", "flower", "cheese")
_CITIES = ("Lisbon", "Oslo", "Vienna", "Dublin", "Porto", "Zagreb", "Turin", "Bergen")
_TALKS = (
    "beekeeping", "glaciers", "origami", "lighthouses", "volcanoes", "sailing", "chess",
    "mushrooms", "bridges", "meteorites",
)  # fmt: skip
_OTHERS = (
    "The coffee machine was mended in the meantime.",
    "Most of the morning went into reading old tickets.",
    "Somebody opened a window, and the papers flew.",
    "In the afternoon it rained, and everybody stayed.",
    "The train was late, and so was everybody else.",
    "Two people were ill, so the plan was kept short.",
)  # fmt: skip
# Nothing in any week's notes is about these.
_STRANGE = (
    "What is the capital of Peru?",
    "How do I repair a flat bicycle tyre?",
    "Which planet has the most moons?",
    "How long does a cat sleep in a day?",
    "What is the recipe for pancakes?",
    "When was the Eiffel Tower built?",
)


@dataclass(frozen=True)
class Fact:
    """A sentence that stands in one day's notes, and a question that it answers."""

    day: str
    sentence: str
    question: str


class WeekNotes:
    """Five documents, a day each. `facts` are all different; `talks` are one a day, and alike; `named_talk`
    is one of them, asked for by its subject; `strange` are questions that nothing here answers.
    """

    def __init__(self, rng: Random):
        name, team, shop, city = (rng.sample(each, 5) for each in (_NAMES, _TEAMS, _SHOPS, _CITIES))
        number = rng.sample(range(12, 90), 5)
        days = rng.sample(DAYS, 5)
        texts = (
            (
                f"The {team[0]} team's invoice function now has a timeout of {number[0]} seconds.",
                f"What is the timeout of the {team[0]} team's invoice function?",
            ),
            (
                f"{name[1]} is on call for the {team[1]} queue until Sunday.",
                f"Who is on call for the {team[1]} queue?",
            ),
            (
                f"Thumbnails of the {shop[2]} shop are kept for {number[2]} days and then deleted.",
                f"How long are thumbnails of the {shop[2]} shop kept?",
            ),
            (
                f"The office in {city[3]} was offline for {number[3]} minutes: a certificate had expired.",
                f"How long was the office in {city[3]} offline?",
            ),
            (
                f"Of the {shop[4]} shop's uploads, {number[4]} were no pictures.",
                f"How many of the {shop[4]} shop's uploads were no pictures?",
            ),
        )
        self.facts = tuple(Fact(day, *text) for day, text in zip(days, texts, strict=True))
        speakers, subjects = rng.sample(_NAMES, 5), rng.sample(_TALKS, 5)
        self.talks = tuple(
            Fact(
                day,
                f"The talk at lunch was about {subject}, by {speaker}.",
                "What was the talk at lunch about?",
            )
            for day, speaker, subject in zip(DAYS, speakers, subjects, strict=True)
        )
        # All talks are near to this question, and one is nearest.
        self.named_talk = replace(
            self.talks[2], question=f"Who gave the talk about {subjects[2]} at lunch?"
        )
        self.strange = tuple(rng.sample(_STRANGE, 3))
        self.documents = {day: self._document(day, rng) for day in DAYS}

    def _document(self, day: str, rng: Random) -> str:
        """One day's notes, a paragraph for each fact and one about nothing."""
        facts = [fact.sentence for fact in (*self.facts, *self.talks) if fact.day == day]
        others = rng.sample(_OTHERS, len(facts) + 2)
        paragraphs = [" ".join(rng.sample(pair, 2)) for pair in zip(facts, others, strict=False)]
        paragraphs.append(" ".join(others[len(facts) :]))
        rng.shuffle(paragraphs)
        return f"# {day.capitalize()}\n\n" + "\n\n".join(paragraphs) + "\n"
