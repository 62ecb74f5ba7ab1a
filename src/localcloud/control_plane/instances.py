"""moto keeps every object it ever made, deleted ones too, for a page that shows them all.

A server that lives for days would grow by each log line and object version. Here nothing is kept for
that page; what a bucket or a log group no longer holds is gone.
"""

from moto.core.common_models import BaseModel
from moto.s3.models import FakeKey


def install() -> None:
    """Make moto's models plain objects. May be called more than once."""

    def __new__(cls: type, *args: object, **kwargs: object) -> BaseModel:
        return object.__new__(cls)

    def __del__(self: FakeKey) -> None:
        # moto warns of a body that nobody closed: those that its list would have closed at a reset.
        self.dispose()

    BaseModel.__new__ = __new__
    FakeKey.__del__ = __del__
