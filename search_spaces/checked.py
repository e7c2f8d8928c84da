"""Values that check themselves at birth, and the one error that lists all that is wrong with them."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deferred: ContextVar[bool] = ContextVar("deferred", default=False)


class InvalidDeclaration(ValueError):  # noqa: N818 - it tells of a declaration, not of a failure
    """Something was declared wrongly; `problems` holds every mistake that was found.

    Args:
        problems: One or two sentences each: name, value, rule and remedy.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)  # the sole argument, so that the error survives pickling

    def __str__(self) -> str:
        return "\n".join(self.problems)


class Checked(ABC):
    """A frozen value that checks itself at birth: a mixin for frozen dataclasses."""

    __slots__ = ()

    @abstractmethod
    def problems(self) -> list[str]:
        """Return all that is wrong with this value, and never raise, whatever it was made of."""

    def __post_init__(self) -> None:
        if not _deferred.get() and (problems := self.problems()):
            raise InvalidDeclaration(problems)


@contextmanager
def deferring() -> Iterator[None]:
    """Let births within the block pass unchecked.

    Whoever loads a whole file can then ask everything in it for its `problems()` and report all mistakes
    at once, instead of stopping at the first line that has one.
    """
    token = _deferred.set(True)
    try:
        yield
    finally:
        _deferred.reset(token)
