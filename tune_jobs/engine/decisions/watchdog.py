"""Trials that hang: they run, and finish no epoch."""

from __future__ import annotations

_LONGEST_LOOK_S = 5.0


class Watchdog:
    """How long each trial has finished no epoch.

    Counted from look to look, and no look counts for more than a few seconds: while the driver stands still (its
    storage is away, the machine sleeps), no trial can be heard.

    Args:
        limit_s: How long a trial may be silent; None: for ever.
    """

    def __init__(self, limit_s: float | None) -> None:
        self._limit_s = limit_s
        self._looked_s: float | None = None
        self._silent_s: dict[int, float] = {}
        self._broken: set[int] = set()

    def heard(self, trial: int) -> None:
        """The trial began, or finished an epoch."""
        self._silent_s[trial] = 0.0

    def broken(self, now_s: float) -> list[int]:
        """The trials whose time ran out since the last look."""
        if self._limit_s is None:
            return []
        passed_s = 0.0 if self._looked_s is None else min(now_s - self._looked_s, _LONGEST_LOOK_S)
        self._looked_s = now_s
        for trial in self._silent_s:
            self._silent_s[trial] += passed_s
        late = [trial for trial, silent_s in self._silent_s.items() if silent_s >= self._limit_s]
        for trial in late:
            del self._silent_s[trial]
        self._broken.update(late)
        return late

    def ended(self, trial: int) -> bool:
        """Its worker has ended; says whether that was because its time had run out."""
        self._silent_s.pop(trial, None)
        was_late = trial in self._broken
        self._broken.discard(trial)
        return was_late
