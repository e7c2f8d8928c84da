"""How a run got to its best: the best objective so far over epochs and over seconds of running."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from trainables.report import diverged_metric
from tune_jobs.base.objective import Objective
from tune_jobs.results.journal.events import EpochReported, Event, RunEnded, RunStarted, TrialEnded


@dataclass(frozen=True, slots=True)
class Step:
    """A moment at which a run found something better.

    Attributes:
        epochs: How many epochs all trials together had trained.
        seconds: How long the run had been running, its interruptions left out.
        value: The objective.
    """

    epochs: int
    seconds: float
    value: float


@dataclass(frozen=True, slots=True)
class Trajectory:
    """How a run got to its best.

    Attributes:
        steps: Each better than the one before; none without a finite objective.
        epochs: How many epochs all trials together trained.
        seconds: How long the run was running.
    """

    steps: tuple[Step, ...]
    epochs: int
    seconds: float


def trajectory(events: Iterable[Event], objective: Objective) -> Trajectory:
    """How a run got to its best, from its events in the order in which they were written."""
    steps: list[Step] = []
    trained: set[tuple[int, int]] = set()
    seconds = 0.0
    for event, seconds in _running(events):
        if not isinstance(event, EpochReported):
            continue
        trained.add((event.trial, event.epoch))
        if objective.metric not in event.metrics or diverged_metric(event.metrics, objective.metric) is not None:
            continue
        value = event.metrics[objective.metric]
        if not steps or objective.is_better(value, steps[-1].value):
            steps.append(Step(len(trained), seconds, value))
    return Trajectory(tuple(steps), len(trained), seconds)


def reach(steps: Sequence[Step], target: float, objective: Objective) -> Step | None:
    """The first step that is at least as good as a target; None where none is."""
    return next((step for step in steps if not objective.is_better(target, step.value)), None)


def _running(events: Iterable[Event]) -> Iterator[tuple[Event, float]]:
    """Each event, and how many seconds the run had been running until then.

    It runs from its start to its end, or to the last sign of life where it was killed, and again when it is resumed.
    That a trial ended is no such sign: a run that is resumed says so of trials that ended before, and before it starts.
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
