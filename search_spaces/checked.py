"""Declarations that check themselves when they are made, and the one error that lists all their mistakes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deferred: ContextVar[bool] = ContextVar("deferred", default=False)


class InvalidDeclaration(ValueError):  # noqa: N818 - the name says what is wrong, and users know it
    """The error for a declaration with mistakes; it lists every mistake that was found.

    Args:
        problems: One text for each mistake. It gives the name, the value, the rule and the remedy.

    Attributes:
        problems: The same texts, as a tuple.

    Example:
        >>> from search_spaces import Int, InvalidDeclaration
        >>> try:
        ...     Int(5, 1, step=0)
        ... except InvalidDeclaration as error:
        ...     for problem in error.problems:
        ...         print(problem)
        The value of `step` is 0, but must be a whole number >= 1: it is added from `lower` on; leave it out to search without steps.
        The value of `upper` is 1, but must be >= `lower` (5): swap the two bounds.
    """  # noqa: E501 - the message is one line

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)  # the only argument, so that the error can be pickled

    def __str__(self) -> str:
        return "\n".join(self.problems)


class Checked(ABC):
    """A mixin for frozen dataclasses that checks every instance when it is made.

    Raises:
        InvalidDeclaration: ``problems`` returns at least one mistake.
    """

    __slots__ = ()

    @abstractmethod
    def problems(self) -> list[str]:
        """Return every mistake in this value; never raise, whatever the value was made of."""

    def __post_init__(self) -> None:
        if not _deferred.get() and (problems := self.problems()):
            raise InvalidDeclaration(problems)


@contextmanager
def deferred_checks() -> Iterator[None]:
    """Let values be made unchecked inside the block.

    The loader of a whole file uses this. It asks everything in the file for its ``problems()`` afterwards and reports
    all mistakes at once, instead of stopping at the first line that has one.
    """
    token = _deferred.set(True)
    try:
        yield
    finally:
        _deferred.reset(token)
