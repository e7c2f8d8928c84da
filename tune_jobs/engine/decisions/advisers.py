"""The searcher and the scheduler of a run, which hear of every event in the order of the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trainables.report import Met, diverged_metric
from tune_jobs.base.words import quantity
from tune_jobs.engine.decisions.failures import FAILED_STATUSES
from tune_jobs.engine.decisions.growing_search import SpaceGrowth, growth_of, search_of
from tune_jobs.engine.decisions.longest_first import order_of
from tune_jobs.engine.decisions.reasked_search import correction
from tune_jobs.engine.decisions.running_trials import RunningTrial, RunningTrials
from tune_jobs.engine.decisions.trial_queue import TrialQueue
from tune_jobs.engine.decisions.warm_start import sources_of, teach
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import EpochReported, Event, Status
from tune_jobs.schedulers import Pause, Promotion
from tune_jobs.searchers import Search

Verdict = tuple[Status | None, str]
"""The status with which a trial leaves its worker, or None if it goes on, and the reason."""


class Advisers:
    """The searcher and the scheduler of one run.

    Args:
        experiment: The experiment.
        lessons: Events of other runs, from which the searcher learns first: see ``warm_start``.

    Attributes:
        queue: The queue of trials, which asks the searcher.
    """

    def __init__(self, experiment: Experiment, lessons: Iterable[Event] = ()) -> None:
        self._experiment = experiment
        lessons = list(lessons)
        self._search: Search = search_of(experiment, sources_of(lessons))
        self._growth: SpaceGrowth | None = None
        self._order = order_of(experiment)
        self.queue = TrialQueue(self._search, experiment.planned_trials, self._order)
        self._schedule = experiment.scheduler.start_for(
            experiment.space, experiment.planned_trials, experiment.max_epochs, experiment.seed
        )
        teach(self._search, lessons, experiment.goal, experiment.objectives)

    def begin(self, trials: RunningTrials, clock: Callable[[], float], log: Callable[[Event], object]) -> None:
        """Take what the growth of the space needs. See ``SpaceGrowth`` for the arguments."""
        self._growth = growth_of(self._search, trials, clock, log)

    def correction(self) -> str | None:
        """Return what to say if the searcher, asked again by a replay, proposed otherwise than before; else None."""
        return correction(self._search, self._experiment)

    def replay_growth(self, events: Iterable[Event]) -> None:
        """Add the parameters that the trials of earlier sessions have met."""
        if self._growth is not None:
            self._growth.replay(events)

    def grow(self, trial: int, met: Met) -> None:
        """Take the parameters that a trial has met."""
        if self._growth is not None:
            self._growth.take(trial, met)

    def learn(self, event: EpochReported, trial: RunningTrial) -> None:
        """Take in a new epoch, which the trial has taken in already."""
        if self._order is not None:
            self._order.learn(event.trial, trial.config, event.seconds)
        if self._experiment.scheduler.PAUSES and event.epoch == 1:
            self._schedule.add(event.trial, trial.config)
        if trial.donor is not None:
            return  # its result is not that of the configuration that the searcher proposed
        if not trial.has_value or diverged_metric(event.metrics, self._experiment.objective.metric):
            return
        if self._experiment.objectives:
            self._search.report_all(event.trial, event.epoch, trial.best_losses)
        else:
            self._search.report(event.trial, event.epoch, trial.best_loss)

    def judge(self, event: EpochReported, trial: RunningTrial, *, is_new: bool) -> Verdict:
        """Return whether a trial leaves its worker after an epoch.

        Args:
            event: The epoch.
            trial: The trial.
            is_new: False if the epoch was judged before, and the trial went on.
        """
        if own_end := trial.own_end(event, self._experiment.objective.metric, self._experiment.max_epochs):
            return own_end
        if not is_new or not trial.has_value:
            return None, ""  # there is nothing to judge, or not yet
        answer = self._schedule.report(event.trial, event.epoch, trial.best_loss)
        if answer is None:
            return None, ""
        return (Status.PAUSED, answer.reason) if isinstance(answer, Pause) else (Status.STOPPED, answer)

    def pause(self, trial: int) -> None:
        """Take in that a trial was paused."""
        self._search.pause(trial)

    def next_promotion(self, *, last: bool) -> Promotion | None:
        """Return the paused trial that goes on next, or None if all go on waiting.

        Args:
            last: True if nothing else is left to do.
        """
        return self._schedule.next_promotion(last=last)

    def promote(self, number: int, trial: RunningTrial) -> None:
        """Take in that a paused trial goes on."""
        if trial.donor is not None:
            self._schedule.add(number, trial.config)
        self._schedule.promote(number)

    def end(self, number: int, trial: RunningTrial, status: Status) -> None:
        """Take in that a trial ended."""
        is_trained_out = status is Status.COMPLETED
        is_refused = status is Status.REFUSED
        failed = status in FAILED_STATUSES or is_refused or (is_trained_out and not trial.has_value)
        if not is_refused:  # the scheduler never heard of it, and another trial takes its place
            self._schedule.end(number)
        self._search.end(number, failed=failed, trained_out=is_trained_out)


def exhaustion(experiment: Experiment, trials: int) -> str | None:
    """Return why a run ended before its budget was used up; None if the budget, or the plan of the searcher, ended it.

    Args:
        experiment: The experiment, whose run ended because no configuration was left.
        trials: The number of trials of the run.
    """
    budgets = {
        "trials": experiment.trials,
        "time_budget_s": experiment.time_budget_s,
        "total_epochs": experiment.total_epochs,
    }
    given = {name: f"{value:,}" for name, value in budgets.items() if value is not None}
    if not given or (experiment.trials is not None and trials >= experiment.trials):
        return None
    if trials == experiment.space.size:
        told = f"All {quantity(trials, 'configuration')} of the space {'was' if trials == 1 else 'were'} tried"
    else:
        searcher = type(experiment.searcher).__name__
        told = f"{searcher} had nothing more to propose after {quantity(trials, 'trial')}"
    budget = ", ".join(f"{name} {value}" for name, value in given.items())
    return f"{told}: the run ended before its budget was used ({budget})."
