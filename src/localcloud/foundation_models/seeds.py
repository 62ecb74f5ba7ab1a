"""Seeds for answers, so that a lesson's outputs repeat."""

import itertools


class Seeds:
    """With a seed set, the first answer after it is always the same, the second too, and so on, and each
    is another. Bedrock's text models take no seed, so it is a setting of the local cloud.
    """

    def __init__(self):
        self.value = 0
        self._count = itertools.count()

    def set(self, value: float) -> None:
        """Begin the sequence of a seed; 0 is none."""
        self.value = int(value)
        self._count = itertools.count()

    def next(self) -> int | None:
        """The seed of the next answer; None where none is set."""
        return self.value * 1_000_003 + next(self._count) if self.value else None
