"""Retention: the trials that keep their weights, so that a thousand trials do not fill the disk."""

from __future__ import annotations

import math
from bisect import insort

from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Keep
from tune_jobs.results import EpochReported, Event, TrialEnded, TrialPromoted, TrialStarted
from tune_jobs.results.history import TrialHistory, take_over
from tune_jobs.results.ranking import sort_key


class RetentionPolicy:
    """The decision which trials lose their weights: those that have ended and are not, or no longer, among the best.

    A trial that runs, or was interrupted, needs its weights to go on. A trial that never had a finite objective has no
    weights worth keeping. A trial that has fallen out of the best never returns: later trials only raise the bar.

    Args:
        keep: "all", "none", or the number of trials that keep their weights.
        objective: The objective that ranks the trials, as on the leaderboard.
        lag: The number of further trials that must have ended before a trial's weights are deleted: the worker that
            was told to end the trial may still be writing them.
    """

    def __init__(self, keep: Keep, objective: Objective, lag: int) -> None:
        self._capacity = {"all": math.inf, "none": 0}[keep] if isinstance(keep, str) else keep
        self._objective = objective
        self._lag = lag
        self._running: dict[int, TrialHistory] = {}
        self._best: list[tuple[float, float, int, int]] = []
        self._not_kept: set[int] = set()
        self._fresh: dict[int, int] = {}  # trials that ended lately, with the number of trials that still have to end
        self._undeleted: set[int] = set()

    def to_delete_after(self, event: Event) -> list[int]:
        """Return the trials whose weights are to be deleted now.

        Args:
            event: The event that has just happened.
        """
        if self._capacity == math.inf:
            return []
        match event:
            case TrialStarted(trial=trial) if trial not in self._running:
                self._running[trial] = TrialHistory(trial, event.config, event.node, event.time_s)
                self._forget_end(trial)
            case EpochReported(trial=trial) if trial in self._running:
                self._running[trial].epochs[event.epoch] = event
            case TrialPromoted(trial=trial, donor=int()) if trial in self._running:
                self._running[trial] = take_over(self._running[trial], event, self._running)
            case TrialEnded(trial=trial) if trial in self._running:
                return self._to_delete_after_end(self._running.pop(trial))
        return []

    def all_to_delete(self) -> list[int]:
        """Return all trials whose weights are not kept. Call it when no worker is left that could write."""
        return sorted(self._not_kept)

    def _to_delete_after_end(self, trial: TrialHistory) -> list[int]:
        self._fresh = {number: left - 1 for number, left in self._fresh.items() if left > 1}
        if self._lag:
            self._fresh[trial.trial] = self._lag
        best = trial.best(self._objective)
        if best is None:
            self._drop(trial.trial)
        else:
            insort(self._best, sort_key(best, self._objective))
            if len(self._best) > self._capacity:
                self._drop(self._best.pop()[-1])
        due = sorted(self._undeleted - self._fresh.keys())
        self._undeleted.intersection_update(self._fresh)
        return due

    def _drop(self, trial: int) -> None:
        self._not_kept.add(trial)
        self._undeleted.add(trial)

    def _forget_end(self, trial: int) -> None:
        """Forget that a trial had ended: it runs again."""
        self._best = [key for key in self._best if key[-1] != trial]
        self._not_kept.discard(trial)
        self._undeleted.discard(trial)
