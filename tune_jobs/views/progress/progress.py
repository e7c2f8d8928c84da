"""How a run stands: a frozen value that each event turns into the next one, at a cost that does not grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trainables.report import diverged_metric
from tune_jobs.results import EpochReported, Event, Noted, RunEnded, RunStarted, Status, TrialEnded, TrialStarted

if TYPE_CHECKING:
    from tune_jobs.engine.run_folder.reporter import Plan

_RECENT = 8


@dataclass(frozen=True)
class TrialProgress:
    """How a trial stands.

    Attributes:
        trial: Its number.
        config: Its configuration.
        status: Running, or how it ended.
        epoch: Its last epoch, from 1; 0 before the first ended.
        value: The objective at its best epoch so far; None before a finite one was reported.
        best_epoch: That epoch.
        error: What it raised, if it raised.
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
    """How a run stands.

    Attributes:
        plan: What was known beforehand.
        started_s: When it started, in unix time; None before that.
        first_epoch_s: When the first epoch was reported, in unix time.
        epochs: How many epochs were trained, by all trials.
        ended_epochs: How many of them by trials that have ended.
        ended: How many trials ended, by status.
        running: The trials that run, by number.
        recent: The trials that ended last, the newest first.
        best: The best trial so far, as it stood at its best epoch; None before a finite objective.
        reason: Why the run ended; None while it goes on.
        note: What was noted last.
    """

    plan: Plan
    started_s: float | None = None
    first_epoch_s: float | None = None
    epochs: int = 0
    ended_epochs: int = 0
    ended: Mapping[Status, int] = field(default_factory=dict)
    running: Mapping[int, TrialProgress] = field(default_factory=dict)
    recent: tuple[TrialProgress, ...] = ()
    best: TrialProgress | None = None
    reason: str | None = None
    note: Noted | None = None

    @classmethod
    def of(cls, plan: Plan) -> Progress:
        """How a run stands that is about to start, or to go on."""
        progress = cls(plan)
        for event in plan.earlier:
            progress = progress.after(event)
        return progress

    @property
    def ended_trials(self) -> int:
        """How many trials have ended."""
        return sum(self.ended.values())

    def after(self, event: Event) -> Progress:
        """How it stands after an event."""
        match event:
            case RunStarted():
                return replace(self, started_s=event.time_s, reason=None)
            case TrialStarted():
                # A trial that starts again after its worker died goes on from its last checkpoint.
                trial = self.running.get(event.trial) or TrialProgress(event.trial)
                return self._with(replace(trial, config=event.config))
            case EpochReported():
                return self._after_epoch(event)
            case Noted():
                return replace(self, note=event)
            case TrialEnded():
                return self._after_end(event)
            case RunEnded():
                return self._after_run(event)
        return self

    def _with(self, trial: TrialProgress) -> Progress:
        return replace(self, running={**self.running, trial.trial: trial})

    def _after_epoch(self, event: EpochReported) -> Progress:
        trial = self.running.get(event.trial) or TrialProgress(event.trial)
        trial = replace(trial, epoch=event.epoch)
        value = event.metrics.get(self.plan.metric)
        diverged = diverged_metric(event.metrics, self.plan.metric) is not None
        if value is not None and not diverged and self._better(value, trial.value):
            trial = replace(trial, value=value, best_epoch=event.epoch)
        leads = trial.value is not None and self._better(trial.value, self.best.value if self.best else None)
        return replace(
            self._with(trial),
            epochs=self.epochs + 1,
            first_epoch_s=event.time_s if self.first_epoch_s is None else self.first_epoch_s,
            best=trial if leads else self.best,
        )

    def _after_end(self, event: TrialEnded) -> Progress:
        trial = self.running.get(event.trial) or TrialProgress(event.trial)
        trial = replace(trial, status=event.status, error=event.error)
        return replace(
            self,
            running={number: each for number, each in self.running.items() if number != event.trial},
            ended={**self.ended, event.status: self.ended.get(event.status, 0) + 1},
            ended_epochs=self.ended_epochs + trial.epoch,
            recent=(trial, *self.recent)[:_RECENT],
        )

    def _after_run(self, event: RunEnded) -> Progress:
        ended = dict(self.ended)
        if self.running:
            ended[Status.INTERRUPTED] = ended.get(Status.INTERRUPTED, 0) + len(self.running)
        return replace(self, ended=ended, running={}, reason=event.reason)

    def _better(self, value: float, than: float | None) -> bool:
        if than is None:
            return True
        return value > than if self.plan.mode == "max" else value < than
