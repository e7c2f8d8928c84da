"""The coordinator of a run: it decides which trial is next, whether a trial goes on, and whether the run does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from trainables.report import Epoch, Report
from tune_jobs.base.clock import SteadyClock
from tune_jobs.engine.decisions.advisers import Advisers, Verdict
from tune_jobs.engine.decisions.event_log import EventLog, GapFreeLog
from tune_jobs.engine.decisions.failures import Failure, FailureCause, FailureStreak, reported_failure, shortened
from tune_jobs.engine.decisions.paused_trials import PausedTrials
from tune_jobs.engine.decisions.refusals import Refusals
from tune_jobs.engine.decisions.replay import decisive_events, lost_epochs
from tune_jobs.engine.decisions.running_trials import Retry, RunningTrials, epoch_event, start_event
from tune_jobs.engine.decisions.trial_queue import Proposal
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import (
    FINISHED,
    Ending,
    EpochReported,
    Event,
    Noted,
    RunEnded,
    RunStarted,
    Status,
    TrialEnded,
    TrialPaused,
    TrialPromoted,
    coherent,
)
from tune_jobs.searchers import Waiting


class Coordinator:
    """The object that takes every decision of one run, and logs every event.

    An event is in the log before searcher and scheduler learn of it, so everything that they know is on disk. They
    learn of it before anything else may be proposed.

    Args:
        experiment: The experiment to run.
        log: The place where events are kept.
        clock: Returns the time, in Unix time; None: a steady clock, which nobody can set.
        lessons: Events of other runs, from which the searcher learns first: see ``warm_start``.

    Attributes:
        shares: The GPU shares of the trials.
        mistake: The mistake in the trainable itself, if the first trials showed one; else None.
        failure: The reason why the run cannot go on, and the remedy; else None.
        ending: The reason why the run is over; None while it goes on.
    """

    def __init__(
        self,
        experiment: Experiment,
        log: EventLog,
        clock: Callable[[], float] | None = None,
        lessons: Iterable[Event] = (),
    ) -> None:
        self.mistake: str | None = None
        self.failure: str | None = None
        self.ending: Ending | None = None
        self._experiment = experiment
        self._log = GapFreeLog(log)
        self._clock = SteadyClock() if clock is None else clock
        self._started_s, self._epochs = self._clock(), 0
        self._advisers = Advisers(experiment, lessons)
        self._trials = RunningTrials(experiment, self._advisers.queue)
        self.shares = self._trials.shares
        self._advisers.begin(self._trials, self._clock, self._log_event)
        self._paused = PausedTrials(self._trials, self._advisers, self._log_event, self._end, self._clock)
        self._streak = FailureStreak(experiment.same_failures)
        self._refusals = Refusals(experiment, self._trials, self.start, self._end)

    def begin(self, **resources: Any) -> None:
        """Begin the run with resources, the fields of ``RunStarted``. Its time budget counts from now."""
        self._started_s = self._clock()
        self.shares.begin(resources["gpus"])
        self._log_event(RunStarted(time_s=self._started_s, **resources))

    def note(self, text: str, trial: int | None = None) -> None:
        """Log a sentence, about a trial or about the run, that says what nobody would notice otherwise."""
        self._log_event(Noted(time_s=self._clock(), trial=trial, text=shortened(text, 1000)))

    def replay(self, events: Sequence[Event]) -> None:
        """Learn the events of earlier sessions, and go on as if the run had not been interrupted.

        Searcher and scheduler learn every report again, in the same order. Trials that had not ended come first, each
        from its newest checkpoint; those that were paused still wait. A trial ends, or pauses, now if it was to do so
        and the interruption came before that was logged.

        Args:
            events: All events of the run so far.
        """
        events = list(coherent(events))
        self.shares.replay(events)
        self._advisers.replay_growth(events)
        self._trials.restore(events)
        verdicts: dict[int, Verdict] = {}
        for event in decisive_events(events, self._experiment.max_epochs):
            verdicts.pop(event.trial, None)
            match event:
                case EpochReported(trial=number):
                    self._learn(event)
                    verdicts[number] = self._advisers.judge(event, self._trials.by_number[number], is_new=True)
                case TrialPaused() | TrialPromoted():
                    self._paused.replay(event)
                case TrialEnded():
                    self._streak.record_end(event.trial, event.status, event.error)
                    self._forget(event.trial, event.status)
        if told := self._advisers.correction():
            self.note(told)
        for trial, verdict in verdicts.items():
            self._carry_out(trial, verdict)
        for trial in sorted(self._trials.by_number.keys() - self._paused.reasons.keys()):
            self._trials.put_back(trial)
        self._streak.reset()

    def propose(self) -> Proposal | Waiting | None:
        """Return the next trial's number and configuration; WAIT if it is too early to say; None if there is none.

        After None, there may still be one until ``is_idle``.
        """
        if self.is_over:
            return None
        self._paused.promote(last=False)
        proposal = self._refusals.propose()
        if isinstance(proposal, tuple) or not self._paused.are_all:
            return proposal
        if not self._paused.promote(last=True):
            self._paused.end_all()
        return self._refusals.propose()

    def reported_epochs(self, trial: int) -> int:
        """Return the number of epochs that are known of a trial that has not ended."""
        return self._trials.by_number[trial].epoch

    def start(self, trial: int, node: str) -> None:
        """Take the start of a trial, or its new start after its worker died.

        Args:
            trial: The number of the trial.
            node: The name of the worker's node; empty if the worker died before it was ready.
        """
        running, gpus = self._trials.start(trial), self.shares.share_of(trial)
        self._log_event(start_event(trial, running, time_s=self._clock(), node=node, gpus=gpus))

    def report(self, trial: int, report: Report) -> bool:
        """Take the report of a worker.

        Returns:
            Whether the trial ends here.
        """
        for number, text in self._log.unsaid(report["notes"]) if "notes" in report else ():
            self.note(text, number)
        trials = self._trials.by_number
        if trial not in trials or trials[trial].pause is not None or self.failure or self.ending is Ending.EPOCHS:
            return True
        if "met" in report:
            self._advisers.grow(trial, report["met"])
        if (mistake := report.get("mistake")) and not self._epochs:
            self.mistake, self.ending = mistake, Ending.FAILED
            return True
        if "refused" in report:
            return self._refusals.refuse(trial, report["refused"])
        if error := mistake or report.get("error"):
            self._fail(trial, "raised", reported_failure(error), report.get("traceback"))
            return True
        if self._experiment.trial_timeout_s is not None:
            self._trials.keep_alive(trial)
        if "gpu_memory" in report and (settled := self.shares.measure(trial, report["gpu_memory"])):
            self.note(settled)
        if "earlier_epochs" in report and self._take_lost(trial, report["earlier_epochs"]):
            return True
        last = Epoch(int(report["epoch"]), report["metrics"], report["seconds"], report.get("batches"))
        return self._take_epoch(trial, last, done=bool(report["done"]))

    def lose_worker(self, trial: int, death: Failure) -> bool:
        """Take the death of a trial's worker, and return whether another worker is to continue the trial."""
        if not self._trials.has_worker(trial):
            return False
        if not self._trials.by_number[trial].has_started:
            self.start(trial, node="")
        outcome = self._trials.lose_worker(trial, death)
        if isinstance(outcome, Retry):
            self._trials.put_back(trial)
            self.note(f"its worker died, another worker continues the trial ({outcome}): {death.text}", trial)
        else:
            self._fail(trial, "timed out" if outcome.cause is FailureCause.TIMED_OUT else "its worker died", outcome)
        return trial in self._trials.by_number

    def hanging_trials(self) -> list[int]:
        """Return the trials that hang, each once. Call it often, and end their workers."""
        return self._trials.hanging(self._clock())

    def interrupt(self) -> None:
        """End the run because a person, or the system, wants it to end."""
        self.ending = self.ending or Ending.INTERRUPTED

    @property
    def is_over(self) -> bool:
        """True if the run must end now, with all trials that are still running."""
        budget_s = self._experiment.time_budget_s
        if self.ending is None and budget_s is not None and self._clock() - self._started_s >= budget_s:
            self.ending = Ending.TIME
        return self.ending is not None

    @property
    def is_idle(self) -> bool:
        """True if nothing is left to propose, now or later: a running trial may lose its worker and come back."""
        return self.is_over or not self._trials.by_number

    @property
    def trials_left(self) -> int | None:
        """The most trials that may still need a worker; None: nobody knows."""
        return self._trials.left

    def finish(self, error: str | None = None) -> None:
        """Log the end of the run, and the error if it failed."""
        if not (error or self.failure or self.ending):
            self.failure = self._refusals.failure(self._epochs)
            if not self.failure and (told := self._refusals.exhaustion()):
                self.note(told)
        error = error or self.failure
        self.ending = Ending.FAILED if error else self.ending or Ending.TRIALS
        if self.ending in FINISHED:
            self._paused.end_all()
        self._log.end(RunEnded(time_s=self._clock(), reason=self.ending, error=error and shortened(error)))

    def _log_event(self, event: Event) -> None:
        """Log an event. The first that cannot be kept ends the run."""
        self._log.event(event)
        if self._log.failure and not self.failure:
            self.failure, self.ending = self._log.failure, Ending.FAILED

    def _take_lost(self, trial: int, epochs: Iterable[Epoch]) -> bool:
        """Log and judge epochs that a checkpoint has and the journal lacks; return whether the trial ends with one."""
        lost, told = lost_epochs(epochs, after=self._trials.by_number[trial].epoch)
        if told:
            self.note(told, trial)
        return any(self._take_epoch(trial, epoch, done=False) for epoch in lost)

    def _take_epoch(self, trial: int, epoch: Epoch, *, done: bool) -> bool:
        """Log an epoch, unless it is logged already, and judge it; return whether the trial ends with it."""
        if self.ending is Ending.EPOCHS:
            return True
        if lacking := self._experiment.required_metrics - epoch.metrics.keys():
            text = f"Epoch {epoch.number} reported no {', '.join(sorted(lacking))}."
            self._fail(trial, "no objective", Failure(FailureCause.OTHER, text))
            return True
        event = epoch_event(trial, epoch, time_s=self._clock(), done=done)
        if is_new := epoch.number > self._trials.by_number[trial].epoch:  # a continued trial repeats epochs
            self._log_event(event)
            self._learn(event)
        return self._carry_out(trial, self._advisers.judge(event, self._trials.by_number[trial], is_new=is_new))

    def _learn(self, event: EpochReported) -> None:
        trial = self._trials.by_number[event.trial]
        self._streak.sound.add(event.trial)
        trial.learn(event, self._experiment.goal, self._experiment.objectives)
        self._refusals.record_epoch(event.epoch)
        self._epochs += 1
        if self._epochs == self._experiment.total_epochs:
            self.ending = self.ending or Ending.EPOCHS
        self._advisers.learn(event, trial)

    def _carry_out(self, trial: int, verdict: Verdict) -> bool:
        """Let a trial end or pause, if it was judged so; return whether it leaves its worker."""
        status, reason = verdict
        if status is Status.PAUSED:
            self._paused.pause(trial, reason)
        elif status is not None:
            self._end(trial, status, reason)
        return status is not None

    def _fail(self, trial: int, reason: str, failure: Failure, traceback: str | None = None) -> None:
        if traceback:
            self._log.traceback(trial, traceback)
        if (growth := self.shares.grow(trial, failure)) is None:
            self._end(trial, failure.status, reason, shortened(failure.text))
        else:
            self.note(growth, trial)
            self._trials.put_back(trial)

    def _end(self, trial: int, status: Status, reason: str, error: str | None = None) -> None:
        epochs, now_s = self.reported_epochs(trial), self._clock()
        self._log_event(TrialEnded(time_s=now_s, trial=trial, status=status, reason=reason, error=error, epochs=epochs))
        self._forget(trial, status)
        if self._streak.record_end(trial, status, error):
            self.failure, self.ending = self._streak.verdict(trial, error), Ending.FAILED

    def _forget(self, trial: int, status: Status) -> None:
        self._advisers.end(trial, self._trials.end(trial), status)
        self._refusals.record_end(status)
