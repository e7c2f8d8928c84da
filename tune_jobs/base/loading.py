"""The loading of a file that searches as soon as it is imported, as a script for KerasTuner: it stops there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_loading: ContextVar[bool] = ContextVar("loading", default=False)


class SearchFound(BaseException):
    """The search that a script would begin now.

    Args:
        experiment: The search as an experiment.

    Attributes:
        experiment: As given.
    """

    def __init__(self, experiment: Any) -> None:
        super().__init__()
        self.experiment = experiment


def is_loading() -> bool:
    """Return whether a file is executed only to find the experiment in it."""
    return _loading.get()


@contextmanager
def loading() -> Iterator[None]:
    """Execute a file in the block only to find the experiment in it: a search raises ``SearchFound`` there."""
    token = _loading.set(True)
    try:
        yield
    finally:
        _loading.reset(token)
