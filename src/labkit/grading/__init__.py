"""The autograder: stages, their checks, what came of them, and the learner's progress."""

from .expectations import Unmet, expect

__all__ = ["Unmet", "expect"]
