"""What a check says when something is not as it should be."""

from collections.abc import Iterable


class Unmet(Exception):
    """An expectation that was not met, in sentences for the learner.

    `tried` is what the check did, `expected` what should have come of it, `seen` what came instead, and
    `log` the lines of the function's log that help, such as the learner's own traceback.
    """

    def __init__(self, *, tried: str, expected: str, seen: str, log: Iterable[str] = ()):
        super().__init__(seen)
        self.tried = tried
        self.expected = expected
        self.seen = seen
        self.log = tuple(log)


def expect(
    condition: object, *, tried: str, expected: str, seen: str, log: Iterable[str] = ()
) -> None:
    """Go on if the condition holds. Raises Unmet with the words given if it does not."""
    # The condition is a plain value of the check's own, never an object that learner code has made.
    if not condition:
        raise Unmet(tried=tried, expected=expected, seen=seen, log=log)
