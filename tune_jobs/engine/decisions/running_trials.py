"""The trials of a run that have not ended: how far they are, which is next, which hang, and whose worker is lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainables.report import Epoch, diverged_metric, has_objective
from trainables.settings import ControlValues
from tune_jobs.base.objective import Objective, losses_of
from tune_jobs.engine.decisions.failures import Failure, FailureCause
from tune_jobs.engine.decisions.gpu_shares import GpuShares
from tune_jobs.engine.decisions.trial_queue import Proposal, TrialQueue
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import EpochReported, Event, Status, TrialStarted
from tune_jobs.searchers import WAIT, Waiting

_LONGEST_LOOK_S = 5.0


@dataclass
class RunningTrial:
    """A trial that has not ended.

    Attributes:
        config: The configuration.
        has_started: Whether a worker has been ready for it.
        epoch: The number of epochs that were reported.
        best_loss: The best objective so far, as a loss; infinite before there is one. One that breaks a constraint is
            worse than all that keep them: see ``Objective.judged_loss``.
        best_losses: The losses in all objectives at the epoch of the best one.
        deaths: How many of its workers have died.
        pause: The reason why the trial is paused; None if it is not.
        donor: The trial whose weights it took over, and the epoch after which it did; None: it never did.
        heard: The number of reports and ends that preceded its proposal; None if resuming need not know it.
    """

    config: dict[str, Any]
    has_started: bool = False
    epoch: int = 0
    best_loss: float = math.inf
    best_losses: tuple[float, ...] = ()
    deaths: int = 0
    pause: str | None = None
    donor: tuple[int, int] | None = None
    heard: int | None = None

    @property
    def has_value(self) -> bool:
        """True once the objective has had a finite value. Until then there is nothing to judge."""
        return self.best_loss < math.inf

    def learn(self, event: EpochReported, goal: Objective, objectives: Sequence[Objective] = ()) -> None:
        """Take the objectives of a new epoch, if the epoch has the first one.

        Args:
            event: The epoch.
            goal: The first objective, with the constraints.
            objectives: All objectives, if there are several.
        """
        self.epoch = event.epoch
        if has_objective(event.metrics, goal.metric) and (loss := goal.judged_loss(event.metrics)) < self.best_loss:
            self.best_loss = loss
            self.best_losses = losses_of(event.metrics, loss, objectives) if objectives else (loss,)

    def own_end(self, event: EpochReported, metric: str, max_epochs: int) -> tuple[Status, str] | None:
        """Return the status and the reason if the trial ends by itself after an epoch.

        Args:
            event: The epoch.
            metric: The metric of the objective.
            max_epochs: The number of epochs after which a trial has been trained completely.
        """
        if diverged := diverged_metric(event.metrics, metric):
            return Status.DIVERGED, f"{diverged} is {event.metrics[diverged]} at epoch {event.epoch}"
        if not event.done:
            return None
        is_whole, epoch = event.epoch >= max_epochs, event.epoch
        reason = f"all {epoch} epochs" if is_whole else f"stopped itself at epoch {epoch}"
        return Status.COMPLETED, reason if self.has_value else f"{reason}, no finite {metric}"


@dataclass(frozen=True)
class Retry:
    """A trial that another worker continues.

    Attributes:
        number: The number of the retry, from 1; 0: it is not counted, because another trial may be to blame.
        of: The number of retries that the experiment allows.
    """

    number: int
    of: int

    def __str__(self) -> str:
        return f"retry {self.number} of {self.of}" if self.number else "alone, and not counted as a retry"


def start_event(number: int, trial: RunningTrial, *, time_s: float, node: str, gpus: float | None) -> TrialStarted:
    """Return the event of a trial's start."""
    return TrialStarted(time_s=time_s, trial=number, config=trial.config, node=node, gpus=gpus, heard=trial.heard)


def epoch_event(trial: int, epoch: Epoch, *, time_s: float, done: bool) -> EpochReported:
    """Return the event of an epoch that a trial has trained.

    Args:
        trial: The number of the trial.
        epoch: The epoch.
        time_s: The time, in Unix time.
        done: Whether the trial has nothing left to train.
    """
    return EpochReported(
        time_s=time_s,
        trial=trial,
        epoch=epoch.number,
        metrics=epoch.metrics,
        seconds=epoch.seconds,
        done=done,
        batches=epoch.batches,
    )


class Watchdog:
    """The time that each trial has run without finishing an epoch.

    Time is counted from look to look, and no look counts for more than a few seconds: while the driver stands still
    (its storage is away, the machine sleeps), it hears of no trial.

    Args:
        limit_s: The time in seconds after which a trial hangs; None: no trial does.
    """

    def __init__(self, limit_s: float | None) -> None:
        self._limit_s = limit_s
        self._looked_s: float | None = None
        self._silent_s: dict[int, float] = {}
        self._hanging: set[int] = set()

    def reset(self, trial: int) -> None:
        """Count the time of a trial from now: it began, or finished an epoch."""
        self._silent_s[trial] = 0.0

    def hanging(self, now_s: float) -> list[int]:
        """Return the trials whose time has run out since the last call.

        Args:
            now_s: The time, in seconds since any fixed moment.
        """
        if self._limit_s is None:
            return []
        passed_s = 0.0 if self._looked_s is None else min(now_s - self._looked_s, _LONGEST_LOOK_S)
        self._looked_s = now_s
        for trial in self._silent_s:
            self._silent_s[trial] += passed_s
        late = [trial for trial, silent_s in self._silent_s.items() if silent_s >= self._limit_s]
        for trial in late:
            del self._silent_s[trial]
        self._hanging.update(late)
        return late

    def forget(self, trial: int) -> bool:
        """Forget a trial that has no worker any more; return whether it was hanging."""
        self._silent_s.pop(trial, None)
        was_hanging = trial in self._hanging
        self._hanging.discard(trial)
        return was_hanging


class RunningTrials:
    """The trials of a run that have not ended.

    Args:
        experiment: The experiment.
        queue: The queue of trials that have no worker.

    Attributes:
        by_number: The trials, by their numbers.
        shares: Their GPU shares.
    """

    def __init__(self, experiment: Experiment, queue: TrialQueue) -> None:
        self.by_number: dict[int, RunningTrial] = {}
        self.shares = GpuShares(experiment.resources, experiment.on_oom)
        self._queue = queue
        self._max_retries = experiment.max_retries
        self._timeout_s = experiment.trial_timeout_s
        self._watchdog = Watchdog(experiment.trial_timeout_s)

    @property
    def begun(self) -> int:
        """The number of trials of the run that have begun."""
        return self._queue.begun

    @property
    def left(self) -> int | None:
        """The most trials that may still need a worker; None: nobody knows."""
        return None if self._queue.left is None else len(self.by_number) + self._queue.left

    def restore(self, events: Sequence[Event]) -> None:
        """Take the trials that had started before the run was interrupted.

        Args:
            events: All events of the run so far.
        """
        self.by_number = {number: RunningTrial(config) for number, config in self._queue.restore(events).items()}

    def propose(self) -> Proposal | Waiting | None:
        """Return the next trial's number and configuration; WAIT if it is too early; None if there is none."""
        proposal = self._queue.next(self.shares.has_room)
        if proposal is WAIT and not self.by_number:
            return None  # nothing runs that it could wait for: it would wait for ever
        if isinstance(proposal, tuple):
            number, config = proposal
            self.by_number.setdefault(number, RunningTrial(config))
            self.shares.record_proposal(number)
        return proposal

    def start(self, number: int) -> RunningTrial:
        """Note that a worker is ready for a trial, and return the trial."""
        trial = self.by_number[number]
        trial.has_started, trial.heard = True, self._queue.heard_before(number)
        self._watchdog.reset(number)
        self.shares.record_start(number)
        return trial

    def keep_alive(self, number: int) -> None:
        """Note that a trial has finished an epoch: it does not hang."""
        self._watchdog.reset(number)

    def hanging(self, now_s: float) -> list[int]:
        """Return the trials that have not finished an epoch for too long, each once."""
        return self._watchdog.hanging(now_s)

    def lose_worker(self, number: int, death: Failure) -> Retry | Failure:
        """Decide what becomes of a trial whose worker died.

        A worker that was killed because its trial hung is not retried. If there were several trials in the worker, each
        is: the loop lets them train alone from then on.

        Returns:
            A retry; or the failure with which the trial ends.
        """
        trial = self.by_number[number]
        was_hanging = self._watchdog.forget(number)
        if death.is_shared:
            return Retry(0, self._max_retries)
        if was_hanging:
            return Failure(FailureCause.TIMED_OUT, f"Timed out after {self._timeout_s:g} s without a finished epoch.")
        if trial.deaths == self._max_retries:
            return death
        trial.deaths += 1
        return Retry(trial.deaths, self._max_retries)

    def put_back(self, number: int) -> None:
        """Queue a trial that has no worker any more."""
        self._free(number)
        trial = self.by_number[number]
        self._queue.put_back(number, ControlValues(donor=trial.donor).wrap_donor(trial.config))

    def take_back_proposals(self) -> list[int]:
        """Return the trials that were proposed and have not begun: they are proposed again."""
        return self._queue.take_back_proposals()

    def plan(self, trials: int | None) -> None:
        """Set the number of trials of the run; None: as many as the searcher proposes."""
        self._queue.plan(trials)

    def pause(self, number: int, reason: str) -> None:
        """Take the worker from a trial that has not ended."""
        self._free(number)
        self.by_number[number].pause = reason

    def has_worker(self, number: int) -> bool:
        """Return whether a trial has not ended, and is not paused."""
        return number in self.by_number and self.by_number[number].pause is None

    @property
    def has_returned(self) -> bool:
        """True if a trial that had a worker waits for another one."""
        return self._queue.has_returned

    def uncount(self) -> None:
        """Count a trial that was refused no more: another one may take its place in the budget."""
        self._queue.uncount()

    def end(self, number: int) -> RunningTrial:
        """Remove a trial that has ended, and return it."""
        self._free(number)
        return self.by_number.pop(number)

    def _free(self, number: int) -> None:
        self.shares.record_stop(number)
        self._watchdog.forget(number)
