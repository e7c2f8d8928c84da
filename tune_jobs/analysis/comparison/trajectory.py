"""The trajectory of a run: its best objective so far, over epochs and over seconds of running."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from trainables.report import has_objective
from tune_jobs.base.objective import Objective
from tune_jobs.results.journal.events import EpochReported, Event, RunEnded, RunStarted, TrialEnded


@dataclass(frozen=True, slots=True)
class Improvement:
    """A moment at which a run found a better value of its objective.

    Attributes:
        epochs: The number of epochs that all trials together had trained.
        seconds: The time that the run had been running, without its interruptions.
        value: The objective.
    """

    epochs: int
    seconds: float
    value: float


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The improvements of a run, and its length.

    Attributes:
        improvements: The improvements, each better than the one before; empty without a finite objective.
        epochs: The number of epochs that all trials together trained.
        seconds: The time that the run was running.
    """

    improvements: tuple[Improvement, ...]
    epochs: int
    seconds: float


def measure_trajectory(events: Iterable[Event], objective: Objective) -> Trajectory:
    """Return the trajectory of a run.

    Args:
        events: The events of the run, in the order in which they were written.
        objective: The objective of the run.
    """
    improvements: list[Improvement] = []
    trained: set[tuple[int, int]] = set()
    seconds = 0.0
    for event, seconds in running_times(events):
        if not isinstance(event, EpochReported):
            continue
        trained.add((event.trial, event.epoch))
        if not has_objective(event.metrics, objective.metric) or objective.violation(event.metrics):
            continue
        value = event.metrics[objective.metric]
        if not improvements or objective.is_better(value, improvements[-1].value):
            improvements.append(Improvement(len(trained), seconds, value))
    return Trajectory(tuple(improvements), len(trained), seconds)


def reach(improvements: Sequence[Improvement], target: float, objective: Objective) -> Improvement | None:
    """Return the first improvement that is at least as good as a target; None if there is none.

    Args:
        improvements: The improvements of a run, in order.
        target: A value of the objective.
        objective: The objective of the run.
    """
    return next((each for each in improvements if not objective.is_better(target, each.value)), None)


def running_times(events: Iterable[Event]) -> Iterator[tuple[Event, float]]:
    """Yield each event with the seconds that the run had been running until then.

    A run is running from its start to its end, and again from each resumption. If it was killed, it was running until
    its last sign of life. The end of a trial is no such sign: a run that is resumed records the ends of trials that
    ended before, and it does so before it starts.
    """
    before_s = 0.0
    started_s: float | None = None
    now_s = 0.0
    for event in events:
        if isinstance(event, RunStarted):
            before_s += _span(started_s, now_s)
            started_s = now_s = event.time_s
        elif not isinstance(event, TrialEnded):
            now_s = max(now_s, event.time_s)  # a clock that was set back must not make time run backwards
        yield event, before_s + _span(started_s, now_s)
        if isinstance(event, RunEnded):
            before_s += _span(started_s, now_s)
            started_s = None


def _span(started_s: float | None, now_s: float) -> float:
    return 0.0 if started_s is None else now_s - started_s
