"""What came of a run so far: its events, folded into one record a trial."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from trainables.report import diverged_metric
from tune_jobs.results.journal.events import (
    EpochReported,
    Event,
    Noted,
    RunEnded,
    RunStarted,
    Status,
    TrialEnded,
    TrialStarted,
)
from tune_jobs.results.journal.file import JournalError


class Objective(Protocol):
    """A metric, and whether more or less of it is better."""

    @property
    def metric(self) -> str:
        """The metric's name, as trials report it."""

    @property
    def mode(self) -> Literal["max", "min"]:
        """Whether the most or the least is best."""


@dataclass(frozen=True, slots=True)
class TrialHistory:
    """What came of one trial.

    Attributes:
        trial: Its number, from 0.
        config: Its configuration.
        node: The machine on which it started last.
        started_s: When it first started, in unix time.
        status: How it stands.
        reason: Why it ended; None while it runs, or where nothing was said about its end.
        error: What it raised, if it raised.
        ended_s: When it ended; None as for `reason`.
        epochs: Its epochs by number, ascending; one that was trained again replaces the earlier.
    """

    trial: int
    config: Mapping[str, Any]
    node: str
    started_s: float
    status: Status = Status.RUNNING
    reason: str | None = None
    error: str | None = None
    ended_s: float | None = None
    epochs: dict[int, EpochReported] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long its epochs took together."""
        return sum(epoch.seconds for epoch in self.epochs.values())

    def best(self, objective: Objective) -> EpochReported | None:
        """The epoch with the best finite objective, the earliest of equals; None where there is none.

        An epoch whose training loss is not finite does not count: a network of NaN weights has an accuracy too.
        """
        metric = objective.metric
        reported = [epoch for epoch in self.epochs.values() if metric in epoch.metrics]
        pick = max if objective.mode == "max" else min
        best = pick(reported, key=lambda epoch: epoch.metrics[metric], default=None)
        # Whether all are sound, their sum tells at once: what is not finite stays so. Else each is asked.
        if math.isfinite(sum(epoch.metrics[metric] + epoch.metrics.get("loss", 0.0) for epoch in reported)):
            return best
        sound = [epoch for epoch in reported if diverged_metric(epoch.metrics, metric) is None]
        return pick(sound, key=lambda epoch: epoch.metrics[metric], default=None)


@dataclass(frozen=True, slots=True)
class History:
    """What came of a run so far.

    Attributes:
        trials: Its trials by number, ascending.
        started_s: When it first started, in unix time; None before that.
        latest_start: The resources of its latest start: a run that is resumed may get others.
        ended_s: When it ended; None while it runs, and when it was killed.
        reason: Why it ended; None as for `ended_s`.
        error: The error that ended it, if one did.
        notes: What was noted, in order.
    """

    trials: dict[int, TrialHistory]
    started_s: float | None = None
    latest_start: RunStarted | None = None
    ended_s: float | None = None
    reason: str | None = None
    error: str | None = None
    notes: list[Noted] = field(default_factory=list)


def fold(events: Iterable[Event]) -> History:
    """What came of a run, from its events in the order in which they were written.

    A trial that has not ended when its run ends, or when its run starts anew after it was killed, is
    interrupted until it starts again.

    Raises:
        JournalError: An event tells of a trial that never started.
    """
    run = History(trials={})
    for event in events:
        match event:
            case EpochReported():
                _started(run, event).epochs[event.epoch] = event
            case Noted():
                run.notes.append(event)
            case TrialStarted():
                run.trials[event.trial] = _start(run.trials.get(event.trial), event)
            case TrialEnded(status=status, reason=reason, error=error, time_s=ended_s):
                trial = _started(run, event)
                run.trials[event.trial] = replace(trial, status=status, reason=reason, error=error, ended_s=ended_s)
            case RunStarted():
                started_s = event.time_s if run.started_s is None else run.started_s
                run = History(_interrupted(run.trials), started_s, latest_start=event, notes=run.notes)
            case RunEnded(reason=reason, error=error, time_s=ended_s):
                trials = _interrupted(run.trials)
                run = replace(run, trials=trials, reason=reason, error=error, ended_s=ended_s)
    _sort(run.trials)
    for trial in run.trials.values():
        _sort(trial.epochs)
    return run


def epochs_at_own_end(events: Sequence[Event]) -> set[tuple[int, int]]:
    """Trial and last epoch of those that trained to their own end: no scheduler was asked about that epoch."""
    last = {event.trial: event.epoch for event in events if isinstance(event, EpochReported)}
    ended = (event.trial for event in events if isinstance(event, TrialEnded) and event.status is Status.COMPLETED)
    return {(trial, last[trial]) for trial in ended if trial in last}


def _started(run: History, event: EpochReported | TrialEnded) -> TrialHistory:
    trial = run.trials.get(event.trial)
    if trial is None:
        raise JournalError(
            f"The journal has a {event.EVENT} event of trial {event.trial}, but none that says it started. "
            "Restore the file from a copy, or remove the lines of this trial."
        )
    return trial


def _start(earlier: TrialHistory | None, event: TrialStarted) -> TrialHistory:
    trial = TrialHistory(event.trial, event.config, event.node, event.time_s)
    if earlier is None:
        return trial
    return replace(trial, started_s=earlier.started_s, epochs=earlier.epochs)


def _interrupted(trials: dict[int, TrialHistory]) -> dict[int, TrialHistory]:
    return {
        number: replace(trial, status=Status.INTERRUPTED) if trial.status is Status.RUNNING else trial
        for number, trial in trials.items()
    }


def _sort(numbered: dict[int, Any]) -> None:
    items = sorted(numbered.items())
    numbered.clear()
    numbered.update(items)
