"""A clock for durations, which nobody can set."""

from __future__ import annotations

import time
from collections.abc import Callable


class SteadyClock:
    """A clock that is right when it is made, and then counts what has passed, whatever becomes of the wall clock.

    The times of one session's events therefore tell durations. A wall clock that was set forward ended runs by their
    time budget.

    Args:
        wall: Returns the time of the wall clock, in Unix time.
        passed: Returns the seconds since any fixed moment.
    """

    def __init__(self, wall: Callable[[], float] | None = None, passed: Callable[[], float] = time.monotonic) -> None:
        self._passed = passed
        self._offset_s = (wall or time.time)() - passed()

    def __call__(self) -> float:
        """Return the time, in Unix time."""
        return self._offset_s + self._passed()
