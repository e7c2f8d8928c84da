"""No scheduler: every trial trains all its epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tune_jobs.schedulers.base import Schedule, Scheduler


@dataclass(frozen=True)
class NoScheduler(Scheduler):
    """A scheduler that stops nothing: a trial ends after ``max_epochs``, or by its own early stopping.

    Example:
        >>> from tune_jobs.schedulers import NoScheduler
        >>> NoScheduler().rungs(max_epochs=27)
        ()
        >>> NoScheduler().start(max_epochs=27, seed=0).report(trial=0, epoch=1, loss=1e9) is None
        True
    """

    NAME: ClassVar[str] = "none"

    def problems(self) -> list[str]:
        """Return nothing: there are no arguments."""
        return []

    def rungs(self, max_epochs: int) -> tuple[int, ...]:  # noqa: ARG002 - the interface has it
        """Return no rungs."""
        return ()

    def start(self, max_epochs: int, seed: int) -> Schedule:  # noqa: ARG002 - the interface has it
        """Return the schedule of a new run."""
        return _GoOn()


class _GoOn(Schedule):
    def report(self, trial: int, epoch: int, loss: float) -> str | None:  # noqa: ARG002 - the interface has it
        return None
