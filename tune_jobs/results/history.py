"""The history of a run: its events, folded into one record per trial."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from trainables.report import has_objective
from tune_jobs.base.objective import Objective
from tune_jobs.results.coherence import coherent
from tune_jobs.results.journal.events import (
    FINISHED,
    Damaged,
    EpochReported,
    Event,
    Noted,
    ParametersMet,
    RunEnded,
    RunStarted,
    Status,
    TrialEnded,
    TrialPaused,
    TrialPromoted,
    TrialStarted,
)
from tune_jobs.results.journal.reading import JournalError


@dataclass(frozen=True, slots=True)
class TrialHistory:
    """The history of one trial.

    Attributes:
        trial: The number of the trial, from 0.
        config: The configuration, with what the trial's own code asked for beside it: see ``ParametersMet``.
        node: The machine on which the trial started last.
        started_s: The time of the first start, in Unix time.
        status: The status now.
        reason: The reason for the end, or for the pause; None while the trial runs, or if nothing was recorded about
            its end.
        error: The error that the trial raised, if any.
        ended_s: The time of the end; None if none was recorded.
        epochs: The epochs by number, ascending. An epoch that was trained again replaces the earlier one.
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
        """The duration of all epochs together, in seconds."""
        return sum(epoch.seconds for epoch in self.epochs.values())

    def best(self, objective: Objective) -> EpochReported | None:
        """Return the epoch with the best finite objective, the earliest of equals; None if there is none.

        An epoch whose training loss is not finite does not count: a network of NaN weights has an accuracy, too. If
        there are constraints, only the epochs count that break them least.

        Args:
            objective: The metric, its direction, and the constraints.
        """
        metric = objective.metric
        reported = [epoch for epoch in self.epochs.values() if metric in epoch.metrics]
        if objective.constraints:
            reported = _least_broken(reported, objective)
        best = objective.best(reported, lambda epoch: epoch.metrics[metric])
        # One NaN or infinity makes the sum not finite. So a finite sum shows that all epochs are sound, in one test.
        if math.isfinite(sum(epoch.metrics[metric] + epoch.metrics.get("loss", 0.0) for epoch in reported)):
            return best
        sound = [epoch for epoch in reported if has_objective(epoch.metrics, metric)]
        return objective.best(sound, lambda epoch: epoch.metrics[metric])


@dataclass(frozen=True, slots=True)
class History:
    """The history of a run.

    Attributes:
        trials: The trials by number, ascending.
        started_s: The time of the first start, in Unix time; None before that.
        latest_start: The latest start with its resources: a run that is resumed may get others.
        ended_s: The time of the end; None while the run goes on, and if it was killed.
        reason: The reason for the end; None as for ``ended_s``.
        error: The error that ended the run, if any.
        met: The parameters that trials met, and that the space did not have before, by name: see ``ParametersMet``.
        notes: The notes, in order.
        seconds: The time that all sessions took, in seconds: the times between them are not counted.
        damages: Sentences about what the journal has lost, unless a later note says the same: a run that is resumed
            notes them.
    """

    trials: dict[int, TrialHistory]
    started_s: float | None = None
    latest_start: RunStarted | None = None
    ended_s: float | None = None
    reason: str | None = None
    error: str | None = None
    seconds: float = 0.0
    met: dict[str, Any] = field(default_factory=dict)
    notes: list[Noted] = field(default_factory=list)
    damages: list[str] = field(default_factory=list)

    @property
    def is_finished(self) -> bool:
        """True if the run came to its own end: nobody interrupted it, and nothing broke it."""
        return self.reason in FINISHED


def fold(events: Iterable[Event], space: Mapping[str, Any] | None = None) -> History:
    """Return the history that the events of a run make.

    A trial that has not ended when the run ends, or when the run starts again after it was killed, is interrupted
    until it starts again. What a damaged journal claims without showing it does not count: see ``coherent``.

    Args:
        events: The events, in the order in which they were written.
        space: The space that the run began with, as its experiment.json has it. What trials met and does not fit into
            it is a damage. None: nobody asks.

    Raises:
        JournalError: An event is of a trial that never started.
    """
    history = _folded(events)
    if history.met and space is not None:
        from tune_jobs.results.met_parameters import grown_space  # which needs NumPy

        history.damages.extend(grown_space(space, history.met)[1])
    return history


def _folded(events: Iterable[Event]) -> History:
    history = History(trials={})
    earlier_s, session_start_s, latest_s = 0.0, math.inf, -math.inf
    for event in coherent(events):
        if isinstance(event, RunStarted):
            earlier_s += max(0.0, latest_s - session_start_s)
            session_start_s = event.time_s
        latest_s = event.time_s or latest_s  # 0: it is not known
        match event:
            case EpochReported():
                _trial_of(event, history).epochs[event.epoch] = event
            case Noted() | Damaged() | ParametersMet():
                _take_beside(event, history)
            case TrialStarted():
                history.trials[event.trial] = _start(history.trials.get(event.trial), event)
            case TrialPaused() | TrialPromoted() | TrialEnded():
                history.trials[event.trial] = _turn(_trial_of(event, history), event, history)
            case RunStarted():
                started_s = event.time_s if history.started_s is None else history.started_s
                trials = _interrupt_running(history.trials)
                history = History(
                    trials,
                    started_s,
                    latest_start=event,
                    met=history.met,
                    notes=history.notes,
                    damages=history.damages,
                )
            case RunEnded(reason=reason, error=error, time_s=ended_s):
                trials = _interrupt_running(history.trials)
                history = replace(history, trials=trials, reason=reason, error=error, ended_s=ended_s)
    _sort(history.trials)
    for trial in history.trials.values():
        _sort(trial.epochs)
    return replace(history, seconds=earlier_s + max(0.0, latest_s - session_start_s))


def epochs_at_own_end(events: Sequence[Event]) -> set[tuple[int, int]]:
    """Return (trial, last epoch) of the trials that trained to their own end: no scheduler judged that epoch.

    Journals of older versions tell it in this way only. In newer ones, the epoch itself says that it was the last.

    Args:
        events: The events of a run, in order.
    """
    last_epochs = {event.trial: event.epoch for event in events if isinstance(event, EpochReported)}
    ended = (event.trial for event in events if isinstance(event, TrialEnded) and event.status is Status.COMPLETED)
    return {(trial, last_epochs[trial]) for trial in ended if trial in last_epochs}


def _take_beside(event: Noted | Damaged | ParametersMet, history: History) -> None:
    """Take in what does not change how far a trial is."""
    if isinstance(event, ParametersMet):
        history.trials[event.trial] = replace(_trial_of(event, history), config=event.config)
        history.met.update(event.parameters)
        return
    if isinstance(event, Damaged):
        history.damages.append(event.text)
        return
    history.notes.append(event)
    if event.text in history.damages:
        history.damages.remove(event.text)


def _least_broken(epochs: list[EpochReported], objective: Objective) -> list[EpochReported]:
    sound = [epoch for epoch in epochs if has_objective(epoch.metrics, objective.metric)]
    violations = [objective.violation(epoch.metrics) for epoch in sound]
    least = min(violations, default=0.0)
    return [epoch for epoch, violation in zip(sound, violations, strict=True) if violation == least]


def _trial_of(
    event: EpochReported | ParametersMet | TrialPaused | TrialPromoted | TrialEnded, history: History
) -> TrialHistory:
    trial = history.trials.get(event.trial)
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


def _turn(trial: TrialHistory, event: TrialPaused | TrialPromoted | TrialEnded, history: History) -> TrialHistory:
    if isinstance(event, TrialPaused):
        return replace(trial, status=Status.PAUSED, reason=event.reason)
    if isinstance(event, TrialPromoted):
        return take_over(trial, event, history.trials)
    return replace(trial, status=event.status, reason=event.reason, error=event.error, ended_s=event.time_s)


def take_over(trial: TrialHistory, event: TrialPromoted, trials: Mapping[int, TrialHistory]) -> TrialHistory:
    """Return a trial that was promoted. If it takes over the weights of another one, it has the other one's epochs.

    Args:
        trial: The trial before that.
        event: Its promotion.
        trials: The trials by number; if the donor is missing, the epochs stay.
    """
    if event.donor is None:
        return trial
    donor = trials.get(event.donor, trial)
    last = max(trial.epochs, default=0)
    epochs = {number: replace(one, trial=trial.trial) for number, one in donor.epochs.items() if number <= last}
    return replace(trial, config=event.config, epochs=epochs)


def _interrupt_running(trials: dict[int, TrialHistory]) -> dict[int, TrialHistory]:
    return {
        number: replace(trial, status=Status.INTERRUPTED) if trial.status is Status.RUNNING else trial
        for number, trial in trials.items()
    }


def _sort(numbered: dict[int, Any]) -> None:
    items = sorted(numbered.items())
    numbered.clear()
    numbered.update(items)
