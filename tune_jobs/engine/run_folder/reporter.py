"""The interface between a run and the reporter that shows its progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol, runtime_checkable

from trainables.constraints.constraint import Constraint
from trainables.settings import Mode
from tune_jobs.base.clock import SteadyClock
from tune_jobs.errors import RequestError
from tune_jobs.results import Event
from tune_jobs.results.run import Repeat


@dataclass(frozen=True)
class Plan:
    """The plan of a run: everything that is known before its first event.

    Attributes:
        folder: The run's folder.
        name: The run's name.
        metric: The objective's metric.
        mode: The objective's direction: "max" if more is better, "min" if less is.
        constraints: The constraints on what a trial measures: the best trial keeps them.
        trials: The number of trials at most; None if another budget ends the run.
        max_epochs: The number of epochs of a trial at most.
        total_epochs: The number of epochs of all trials together at most; None: no limit.
        time_budget_s: The seconds after which the run ends; None: no limit.
        max_concurrent_trials: The number of trials that run side by side at most.
        repeat: The position of the run in a group of repeats; None for a run by itself.
        earlier: The events of earlier sessions, if the run is resumed.
        clock: Returns the time that events have, in Unix time. Nobody can set it, so it is right for durations.
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
    constraints: tuple[Constraint, ...] = ()
    earlier: Sequence[Event] = ()
    clock: Callable[[], float] = field(default_factory=SteadyClock, compare=False)


def default_reporter() -> Reporter | None:
    """Return the reporter where nobody has named one: in a notebook the one that shows the run below its cell."""
    if "ipykernel" not in sys.modules:
        return None
    # By name, because all views stand above the engine.
    notebook = import_module("tune_jobs.views.progress.notebook")
    return notebook.NotebookView() if notebook.is_notebook() else None


class Reporter(Protocol):
    """The interface of an object that shows the progress of a run."""

    def begin(self, plan: Plan) -> None:
        """Show the plan: the run is about to start."""

    def event(self, event: Event) -> None:
        """Show an event, which is in the journal already."""

    def end(self) -> None:
        """Finish: the run is over, or failed."""


@runtime_checkable
class MistakeReporter(Reporter, Protocol):
    """A reporter that tells a mistake at once. Ray may take seconds to start, and cannot be left before."""

    def mistake(self, error: RequestError) -> None:
        """Show a mistake, for which the run is being undone, and set its ``is_told``."""


@contextmanager
def told_at_once(reporter: Reporter | None) -> Iterator[None]:
    """Let a reporter that can tell mistakes tell the one that ends the block.

    Args:
        reporter: The reporter of the run, if it has one.
    """
    try:
        yield
    except RequestError as error:
        if isinstance(reporter, MistakeReporter):
            reporter.mistake(error)
        raise
