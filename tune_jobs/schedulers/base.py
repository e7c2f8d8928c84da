"""The interface of schedulers: a frozen declaration, and what it does in one run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import Any, ClassVar

from search_spaces.checked import Checked


class Schedule(ABC):
    """A scheduler at work in one run. It is told losses (less is better), all of them finite."""

    @abstractmethod
    def report(self, trial: int, epoch: int, loss: float) -> str | None:
        """Why the trial is to stop after this epoch; None: it goes on.

        Args:
            trial: The trial's number.
            epoch: Epochs that it was trained for.
            loss: Its best loss so far, which is what the leaderboard will rank it by.
        """


class Scheduler(Checked):
    """A scheduler as it is declared."""

    NAME: ClassVar[str]

    @abstractmethod
    def rungs(self, max_epochs: int) -> tuple[int, ...]:
        """The epochs, ascending and below ``max_epochs``, after which trials are compared: none is stopped earlier."""

    @abstractmethod
    def start(self, max_epochs: int, seed: int) -> Schedule:
        """Begins a run."""

    def epoch_problems(self, max_epochs: int) -> list[str]:  # noqa: ARG002 - for subclasses
        """Why it cannot schedule trials of so many epochs."""
        return []

    def to_json(self) -> dict[str, Any]:
        """The declaration as JSON."""
        return {"kind": self.NAME, **asdict(self)}  # type: ignore[call-overload]
