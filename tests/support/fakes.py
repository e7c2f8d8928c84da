"""Stand-ins that the tests of tune_jobs share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from search_spaces import Float, SearchSpace
from trainables import Data, KerasTrainable
from tune_jobs.base.objective import Objective
from tune_jobs.engine.decisions.failures import Failure, FailureCause
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import Event
from tune_jobs.searchers import HyperOpt


class NeverTrained(KerasTrainable):
    """Complete as a declaration; nothing trains it."""

    def build_model(self, config: dict[str, Any]) -> Any:
        raise NotImplementedError

    def load_data(self) -> Data:
        raise NotImplementedError


SPACE = SearchSpace(x=Float(0.0, 1.0))


def experiment(**fields: Any) -> Experiment:
    """Return a small experiment with some fields of one's own."""
    defaults = {
        "trainable": NeverTrained,
        "space": SPACE,
        "objective": Objective("val_accuracy", "max"),
        "searcher": HyperOpt(),
        "trials": 5,
        "max_epochs": 9,
    }
    return Experiment(**{**defaults, **fields})


def worker_death(text: str = "The actor died.") -> Failure:
    """Return the death of a worker for a reason that nobody knows."""
    return Failure(FailureCause.OTHER, text)


@dataclass
class MemoryEventLog:
    """An event log in memory."""

    events: list[Event] = field(default_factory=list)
    tracebacks: dict[int, str] = field(default_factory=dict)

    def event(self, event: Event) -> None:
        self.events.append(event)

    def traceback(self, trial: int, text: str) -> None:
        self.tracebacks[trial] = text
