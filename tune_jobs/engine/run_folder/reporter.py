"""What a run tells whoever shows its progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from trainables.settings import Mode
from tune_jobs.results import Event
from tune_jobs.results.run import Repeat


@dataclass(frozen=True)
class Plan:
    """What is known of a run before its first event.

    Attributes:
        folder: The run's folder.
        name: The run's name.
        metric: The objective's metric.
        mode: Whether its most or its least is best.
        trials: How many trials there will be at most; None when another budget ends the run.
        max_epochs: How many epochs a trial has at most.
        total_epochs: How many epochs all trials have together at most; None: no limit.
        time_budget_s: Seconds after which the run ends; None: no limit.
        max_concurrent_trials: How many trials run side by side at most.
        repeat: Which repeat of a group it is; None: a run by itself.
        earlier: What happened already, when the run is resumed.
    """

    folder: Path
    name: str
    metric: str
    mode: Mode
    trials: int | None
    max_epochs: int
    total_epochs: int | None
    time_budget_s: float | None
    max_concurrent_trials: int
    repeat: Repeat | None = None
    earlier: Sequence[Event] = ()


class Reporter(Protocol):
    """Shows the progress of a run."""

    def begin(self, plan: Plan) -> None:
        """The run is about to start."""

    def event(self, event: Event) -> None:
        """Something happened; the journal has it already."""

    def end(self) -> None:
        """The run is over, or failed."""
