"""No scheduler: every trial trains all its epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tune_jobs.schedulers.base import Schedule, Scheduler


@dataclass(frozen=True)
class NoScheduler(Scheduler):
    """Stops nothing; a trial ends after ``max_epochs``, or by its own early stopping."""

    NAME: ClassVar[str] = "none"

    def problems(self) -> list[str]:
        """Nothing can be wrong with it."""
        return []

    def rungs(self, max_epochs: int) -> tuple[int, ...]:  # noqa: ARG002 - the interface's
        """There are none."""
        return ()

    def start(self, max_epochs: int, seed: int) -> Schedule:  # noqa: ARG002 - the interface's
        """Begins a run."""
        return _GoOn()


class _GoOn(Schedule):
    def report(self, trial: int, epoch: int, loss: float) -> str | None:  # noqa: ARG002 - the interface's
        return None
