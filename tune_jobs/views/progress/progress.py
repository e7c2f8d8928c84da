"""The state of a run as a frozen value. Each event turns it into the next one, at a cost that does not grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trainables.constraints.constraint import total_violation
from trainables.report import has_objective
from trainables.settings import is_better
from tune_jobs.results import (
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

if TYPE_CHECKING:
    from tune_jobs.engine.run_folder.reporter import Plan

_RECENT = 8


@dataclass(frozen=True)
class TrialProgress:
    """The state of a trial.

    Attributes:
        trial: The number of the trial.
        config: Its configuration.
        status: Running, paused, or the status with which it ended.
        epoch: Its last epoch, counted from 1. It is 0 before the first one ended.
        value: The objective at its best epoch so far, or None before a finite value was reported.
        best_epoch: The epoch with that value.
        error: The error that it raised, if any.
    """

    trial: int
    config: Mapping[str, Any] = field(default_factory=dict)
    status: Status = Status.RUNNING
    epoch: int = 0
    value: float | None = None
    best_epoch: int = 0
    error: str | None = None


@dataclass(frozen=True)
class Progress:
    """The state of a run.

    Attributes:
        plan: The plan, which is known beforehand.
        started_s: The time when the run started, in unix seconds, or None before that.
        first_epoch_s: The time when the first epoch of this session was reported, in unix seconds.
        epochs: Number of epochs that all trials have trained.
        earlier_epochs: Number of those of earlier sessions.
        ended_epochs: Number of epochs that the ended trials have trained.
        ended: Number of ended trials, by status.
        running: The running trials, by number.
        paused: The paused trials, by number.
        recent: The trials that ended last, the newest first.
        best: The best trial so far, as it was at its best epoch, or None before a finite objective.
        reason: The reason why the run ended, or None while it goes on.
        note: The newest note.
    """

    plan: Plan
    started_s: float | None = None
    first_epoch_s: float | None = None
    epochs: int = 0
    earlier_epochs: int = 0
    ended_epochs: int = 0
    ended: Mapping[Status, int] = field(default_factory=dict)
    running: Mapping[int, TrialProgress] = field(default_factory=dict)
    paused: Mapping[int, TrialProgress] = field(default_factory=dict)
    recent: tuple[TrialProgress, ...] = ()
    best: TrialProgress | None = None
    reason: str | None = None
    note: Noted | None = None

    @classmethod
    def of(cls, plan: Plan) -> Progress:
        """Return the state of a run that is about to start, or to continue."""
        progress = cls(plan)
        for event in plan.earlier:
            progress = progress.after(event)
        return progress

    @property
    def ended_trials(self) -> int:
        """Number of trials that have ended."""
        return sum(self.ended.values())

    def after(self, event: Event) -> Progress:
        """Return the state after an event."""
        match event:
            case RunStarted():
                started_s, earlier = event.time_s, self.epochs
                return replace(self, started_s=started_s, first_epoch_s=None, earlier_epochs=earlier, reason=None)
            case TrialStarted() | ParametersMet():
                return self._with(replace(self._trial(event.trial), status=Status.RUNNING, config=event.config))
            case EpochReported():
                return self._after_epoch(event)
            case Noted():
                return replace(self, note=event)
            case TrialPaused():
                trial = replace(self._trial(event.trial), status=Status.PAUSED)
                paused = {**self.paused, event.trial: trial}
                return replace(self, running=_without(self.running, event.trial), paused=paused)
            case TrialPromoted(donor=int(donor)):
                value, best_epoch = self._trial(donor).value, self._trial(donor).best_epoch
                trial = replace(self._trial(event.trial), config=event.config, value=value, best_epoch=best_epoch)
                return replace(self, paused={**self.paused, event.trial: trial})
            case TrialEnded():
                return self._after_end(event)
            case RunEnded():
                return self._after_run(event)
        return self

    def _trial(self, number: int) -> TrialProgress:
        # A trial that starts again after its worker died, or after a pause, goes on from its last checkpoint.
        return self.running.get(number) or self.paused.get(number) or TrialProgress(number)

    def _with(self, trial: TrialProgress) -> Progress:
        number = trial.trial
        paused = _without(self.paused, number) if number in self.paused else self.paused
        return replace(self, running={**self.running, number: trial}, paused=paused)

    def _after_epoch(self, event: EpochReported) -> Progress:
        trial = self.running.get(event.trial) or self._trial(event.trial)
        trial = replace(trial, epoch=event.epoch)
        value = event.metrics.get(self.plan.metric)
        counts = has_objective(event.metrics, self.plan.metric)
        if self.plan.constraints and total_violation(self.plan.constraints, event.metrics):
            counts = False
        if value is not None and counts and self._better(value, trial.value):
            trial = replace(trial, value=value, best_epoch=event.epoch)
        leads = trial.value is not None and self._better(trial.value, self.best.value if self.best else None)
        return replace(
            self._with(trial),
            epochs=self.epochs + 1,
            first_epoch_s=event.time_s if self.first_epoch_s is None else self.first_epoch_s,
            best=trial if leads else self.best,
        )

    def _after_end(self, event: TrialEnded) -> Progress:
        error = event.reason if event.status is Status.REFUSED else event.error
        trial = replace(self._trial(event.trial), status=event.status, error=error)
        return replace(
            self,
            running=_without(self.running, event.trial),
            paused=_without(self.paused, event.trial),
            ended={**self.ended, event.status: self.ended.get(event.status, 0) + 1},
            ended_epochs=self.ended_epochs + trial.epoch,
            recent=(trial, *self.recent)[:_RECENT],
        )

    def _after_run(self, event: RunEnded) -> Progress:
        ended = dict(self.ended)
        if self.running:
            ended[Status.INTERRUPTED] = ended.get(Status.INTERRUPTED, 0) + len(self.running)
        if self.paused:  # somebody interrupted the run, or something broke it: else they have ended
            ended[Status.PAUSED] = len(self.paused)
        return replace(self, ended=ended, running={}, paused={}, reason=event.reason)

    def _better(self, value: float, than: float | None) -> bool:
        if than is None:
            return True
        return is_better(value, than, self.plan.mode)


def _without(trials: Mapping[int, TrialProgress], number: int) -> Mapping[int, TrialProgress]:
    return {other: trial for other, trial in trials.items() if other != number}
