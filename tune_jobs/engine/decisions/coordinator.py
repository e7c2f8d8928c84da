"""Decides what a run does next: which configuration, whether a trial goes on, whether the run does. Knows no Ray."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainables.report import Report, diverged_metric
from tune_jobs.engine.decisions.event_sink import EventSink, Record
from tune_jobs.engine.decisions.failures import (
    FAILED_STATUSES,
    Failure,
    FailureCause,
    FailureStreak,
    reported_failure,
    shortened,
)
from tune_jobs.engine.decisions.gpu_shares import GpuShares
from tune_jobs.engine.decisions.longest_first import order_of
from tune_jobs.engine.decisions.trial_queue import Proposal, TrialQueue
from tune_jobs.engine.decisions.warm_start import teach
from tune_jobs.engine.decisions.watchdog import Watchdog
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import (
    Ending,
    EpochReported,
    Event,
    Noted,
    RunEnded,
    RunStarted,
    Status,
    TrialEnded,
    TrialStarted,
    epochs_at_own_end,
)
from tune_jobs.searchers import Search, Waiting


@dataclass
class _Running:
    """What the coordinator must know of a trial that has not ended."""

    config: dict[str, Any]
    started: bool = False
    epoch: int = 0
    best_loss: float = math.inf
    deaths: int = 0


class Coordinator:
    """Takes every decision of one run, and records every event.

    Searcher and scheduler hear of a result before anything else may be proposed, and the journal before both: what
    they know is always on disk.

    Args:
        experiment: What to run.
        record: Where events are kept.
        clock: The time, in unix seconds.
        lessons: Trials of other runs, which the searcher hears of first: see ``warm_start``.

    Attributes:
        mistake: What is wrong with the trainable itself, when the first trials showed that; else None.
        failure: Why the run cannot go on, and what to do; else None.
        ending: Why the run is over; None while it goes on.
    """

    def __init__(
        self,
        experiment: Experiment,
        record: Record,
        clock: Callable[[], float] = time.time,
        lessons: Iterable[Event] = (),
    ) -> None:
        self.mistake: str | None = None
        self.failure: str | None = None
        self.ending: Ending | None = None
        self._experiment = experiment
        self._record = record
        self._telling = EventSink(record)
        self._clock = clock
        self._started_s = clock()
        self._epochs = 0
        self._running: dict[int, _Running] = {}
        self._search: Search = experiment.searcher.start(
            experiment.space, seed=experiment.seed, rungs=experiment.rungs, max_epochs=experiment.max_epochs
        )
        self._proposals = TrialQueue(self._search, experiment.planned_trials, order_of(experiment))
        self._schedule = experiment.scheduler.start(experiment.max_epochs, experiment.seed)
        self._failures = FailureStreak(experiment.same_failures)
        self._watchdog = Watchdog(experiment.trial_timeout_s)
        self.shares = GpuShares(experiment.resources, experiment.on_oom)
        teach(self._search, lessons, experiment.objective)

    def begin(self, **resources: Any) -> None:
        """The run starts, on these resources (the fields of ``RunStarted``); its time begins to count."""
        self._started_s = self._clock()
        self.shares.begin(resources["gpus"])
        self._tell(RunStarted(time_s=self._started_s, **resources))

    def note(self, text: str, trial: int | None = None) -> None:
        """Says what would otherwise pass in silence."""
        self._tell(Noted(time_s=self._clock(), trial=trial, text=shortened(text, 1000)))

    def replay(self, events: Sequence[Event]) -> None:
        """Learns what happened before the run was interrupted, and goes on as if it had not been.

        Searcher and scheduler hear every result again, in the order in which they heard it then. Trials that had not
        ended come first, each from its newest checkpoint; one that had only not been told to end, ends now.
        """
        self.shares.replay(events)
        started = {event.trial: dict(event.config) for event in events if isinstance(event, TrialStarted)}
        self._proposals.again(started)
        self._running = {trial: _Running(config) for trial, config in started.items()}
        verdicts: dict[int, tuple[Status | None, str]] = {}
        own_ends = epochs_at_own_end(events)
        for event in events:
            match event:
                case EpochReported(trial=trial) if trial in self._running and event.epoch > self._running[trial].epoch:
                    self._learn(trial, event.epoch, event.metrics, event.seconds)
                    whole = event.epoch >= self._experiment.max_epochs
                    done = event.done or whole or (trial, event.epoch) in own_ends
                    verdicts[trial] = self._judge(trial, event.epoch, event.metrics, done=done, is_news=True)
                case TrialEnded(trial=trial, status=status) if trial in self._running:
                    self._failures.record_end(trial, status, event.error)
                    self._forget(trial, status)
        for trial, (verdict, reason) in verdicts.items():
            if verdict is not None and trial in self._running:
                self._end(trial, verdict, reason)
        for trial, running in sorted(self._running.items()):
            self._proposals.comes_back(trial, running.config)
        self._failures.reset()

    def propose(self) -> Proposal | Waiting | None:
        """The next trial's number and configuration; None when there is none (see ``idle``), WAIT when too early."""
        proposal = None if self.over else self._proposals.next(self.shares.has_room)
        if isinstance(proposal, tuple):
            trial, config = proposal
            self._running.setdefault(trial, _Running(config))
            self.shares.proposed(trial)
        return proposal

    def reported(self, trial: int) -> int:
        """How many epochs of a trial that has not ended are known."""
        return self._running[trial].epoch

    def started(self, trial: int, node: str) -> None:
        """A trial begins on a node, or begins again after its worker died."""
        running = self._running[trial]
        running.started = True
        self._watchdog.heard(trial)
        self.shares.started(trial)
        gpus = self.shares.of(trial)
        self._tell(TrialStarted(time_s=self._clock(), trial=trial, config=running.config, node=node, gpus=gpus))

    def report(self, trial: int, result: Report) -> bool:
        """Takes what a step of the trainable returned; says whether the trial ends here."""
        for number, text in result.get("notes", ()):
            self.note(text, number)
        if trial not in self._running or self.failure or self.ending is Ending.EPOCHS:
            return True
        mistake = result.get("mistake")
        if mistake and not self._epochs:
            self.mistake, self.ending = mistake, Ending.FAILED
            return True
        if error := mistake or result.get("error"):
            self._fail(trial, "raised", reported_failure(error), result.get("traceback"))
            return True
        if (metric := self._experiment.objective.metric) not in result["metrics"]:
            missing = Failure(FailureCause.OTHER, f"Epoch {result['epoch']} reported no {metric}.")
            self._fail(trial, "no objective", missing)
            return True
        self._watchdog.heard(trial)
        if share := self.shares.measured(trial, result):
            self.note(share)
        is_news = self._take_epoch(trial, result)
        status, reason = self._judge(
            trial, int(result["epoch"]), result["metrics"], done=result["done"], is_news=is_news
        )
        if status is not None:
            self._end(trial, status, reason)
        return status is not None

    def crashed(self, trial: int, death: Failure) -> None:
        """Take the death of a trial's worker: another worker continues the trial, unless the retries are used up.

        A worker that was killed because its trial hung is not retried.
        """
        running, tries = self._running.get(trial), self._experiment.max_retries
        if running is None:
            return
        if not running.started:
            self.started(trial, node="")  # its worker died before it was ready
        if self._watchdog.ended(trial):
            limit_s = self._experiment.trial_timeout_s
            text = f"Timed out after {limit_s:g} s without a finished epoch."
            self._fail(trial, "timed out", Failure(FailureCause.KILLED, text))
        elif running.deaths == tries:
            self._fail(trial, "its worker died", death)
        else:
            running.deaths += 1
            self._put_back(trial)
            self.note(
                f"its worker died, another goes on with it (retry {running.deaths} of {tries}): {death.text}", trial
            )

    def silent(self) -> list[int]:
        """Trials that have finished no epoch for too long, each told once: end their workers. Ask often."""
        return self._watchdog.broken(self._clock())

    def interrupt(self) -> None:
        """The person at the keyboard wants the run to end."""
        self.ending = self.ending or Ending.INTERRUPTED

    @property
    def over(self) -> bool:
        """Whether the run is to end now, with whatever is still running."""
        budget_s = self._experiment.time_budget_s
        if self.ending is None and budget_s is not None and self._clock() - self._started_s >= budget_s:
            self.ending = Ending.TIME
        return self.ending is not None

    @property
    def idle(self) -> bool:
        """Whether nothing is left to propose, now and later: a trial that runs may lose its worker and come back."""
        return self.over or not self._running

    def finish(self, error: str | None = None) -> None:
        """The run is over."""
        error = error or self.failure
        self.ending = Ending.FAILED if error else self.ending or Ending.TRIALS
        self._telling.end(RunEnded(time_s=self._clock(), reason=self.ending, error=error and shortened(error)))

    def _tell(self, event: Event) -> None:
        """Writes an event; a journal that cannot be written ends the run."""
        self._telling.tell(event)
        if self._telling.failure and not self.failure:
            self._give_up(self._telling.failure)

    def _give_up(self, failure: str) -> None:
        self.failure, self.ending = failure, Ending.FAILED

    def _take_epoch(self, trial: int, result: Report) -> bool:
        """Records an epoch; False when it was recorded: a worker that continues from a checkpoint repeats some."""
        epoch = int(result["epoch"])
        if epoch <= self._running[trial].epoch:
            return False
        metrics, seconds, done = result["metrics"], result["seconds"], bool(result["done"])
        now_s = self._clock()
        self._tell(EpochReported(time_s=now_s, trial=trial, epoch=epoch, metrics=metrics, seconds=seconds, done=done))
        self._learn(trial, epoch, metrics, seconds)
        return True

    def _learn(self, trial: int, epoch: int, metrics: Mapping[str, float], seconds: float) -> None:
        running, objective = self._running[trial], self._experiment.objective
        running.epoch = epoch
        self._epochs += 1
        self._failures.record_epoch(trial)
        self._proposals.took(trial, running.config, seconds)
        if not diverged_metric(metrics, objective.metric):
            running.best_loss = min(running.best_loss, objective.loss(metrics[objective.metric]))
            self._search.report(trial, epoch, running.best_loss)

    def _judge(
        self, trial: int, epoch: int, metrics: Mapping[str, float], *, done: bool, is_news: bool
    ) -> tuple[Status | None, str]:
        """Whether the trial ends with this result, as what, and why."""
        experiment = self._experiment
        if metric := diverged_metric(metrics, experiment.objective.metric):
            return Status.DIVERGED, f"{metric} is {metrics[metric]} at epoch {epoch}"
        if done:
            whole = epoch >= experiment.max_epochs
            return Status.COMPLETED, f"all {epoch} epochs" if whole else f"stopped itself at epoch {epoch}"
        if not is_news:
            return None, ""  # it was judged then, and went on
        reason = self._schedule.report(trial, epoch, self._running[trial].best_loss)
        if self._epochs == experiment.total_epochs:
            self.ending = self.ending or Ending.EPOCHS
        return (None, "") if reason is None else (Status.STOPPED, reason)

    def _fail(self, trial: int, reason: str, failure: Failure, traceback: str | None = None) -> None:
        if traceback:
            self._record.traceback(trial, traceback)
        if (growth := self.shares.grow(trial, failure)) is None:
            self._end(trial, failure.status, reason, shortened(failure.text))
        else:
            self.note(growth, trial)
            self._put_back(trial)

    def _put_back(self, trial: int) -> None:
        """The trial has no worker any more, and is proposed again."""
        self._watchdog.ended(trial)
        self.shares.stopped(trial)
        self._proposals.comes_back(trial, self._running[trial].config)

    def _end(self, trial: int, status: Status, reason: str, error: str | None = None) -> None:
        self._tell(TrialEnded(time_s=self._clock(), trial=trial, status=status, reason=reason, error=error))
        self._forget(trial, status)
        if self._failures.record_end(trial, status, error):
            self._give_up(
                f"{self._failures.length} trials in a row failed with the same error, the last of them trial {trial}: "
                f"{error} It seems that the code is broken, and not only for some configurations: mend it and resume "
                "the run, or allow more of them with --same-failures."
            )
        if self._epochs == self._experiment.total_epochs:
            self.ending = self.ending or Ending.EPOCHS

    def _forget(self, trial: int, status: Status) -> None:
        del self._running[trial]
        self.shares.stopped(trial)
        self._watchdog.ended(trial)
        failed = status in FAILED_STATUSES
        self._search.end(trial, failed=failed, trained_out=status is Status.COMPLETED)
