"""The watchdog: it finds trials that run without finishing an epoch."""

from __future__ import annotations

_LONGEST_LOOK_S = 5.0


class Watchdog:
    """The time that each trial has run without finishing an epoch.

    Time is counted from look to look, and no look counts for more than a few seconds: while the driver stands still
    (its storage is away, the machine sleeps), it hears of no trial.

    Args:
        limit_s: The time in seconds after which a trial hangs; None: no trial does.
    """

    def __init__(self, limit_s: float | None) -> None:
        self._limit_s = limit_s
        self._looked_s: float | None = None
        self._silent_s: dict[int, float] = {}
        self._hanging: set[int] = set()

    def reset(self, trial: int) -> None:
        """Count the time of a trial from now: it began, or finished an epoch."""
        self._silent_s[trial] = 0.0

    def hanging(self, now_s: float) -> list[int]:
        """Return the trials whose time has run out since the last call.

        Args:
            now_s: The time, in seconds since any fixed moment.
        """
        if self._limit_s is None:
            return []
        passed_s = 0.0 if self._looked_s is None else min(now_s - self._looked_s, _LONGEST_LOOK_S)
        self._looked_s = now_s
        for trial in self._silent_s:
            self._silent_s[trial] += passed_s
        late = [trial for trial, silent_s in self._silent_s.items() if silent_s >= self._limit_s]
        for trial in late:
            del self._silent_s[trial]
        self._hanging.update(late)
        return late

    def forget(self, trial: int) -> bool:
        """Forget a trial that has no worker any more; return whether it was hanging."""
        self._silent_s.pop(trial, None)
        was_hanging = trial in self._hanging
        self._hanging.discard(trial)
        return was_hanging
