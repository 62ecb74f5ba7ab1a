"""Seeds for answers, so that a lesson's outputs repeat."""

import itertools


class Seeds:
    """With a seed set, the first answer after it is always the same, the second too, and so on, and each
    is another. Bedrock's text models take no seed, so it is a setting of the local cloud.
    """

    def __init__(self):
        self.value = 0

    @property
    def value(self) -> int:
        """The seed, whose sequence begins when it is set; 0 is none."""
        return self._value

    @value.setter
    def value(self, value: int) -> None:
        self._value = value
        self._count = itertools.count()

    def next(self) -> int | None:
        """The seed of the next answer; None where none is set."""
        return self._value * 1_000_003 + next(self._count) if self._value else None
