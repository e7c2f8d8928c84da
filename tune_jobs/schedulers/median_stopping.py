"""Median stopping: a trial ends when it is worse than the median of the others were at its epoch."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tune_jobs.base.rules import count_problem
from tune_jobs.schedulers.asha import geometric_rungs, grace_problems
from tune_jobs.schedulers.base import Schedule, Scheduler

_RATIO = 2


@dataclass(frozen=True)
class MedianStopping(Scheduler):
    """A scheduler that stops a trial after an epoch if its best is worse than the median of the other trials there.

    This is the median stopping rule of Golovin, Solnik, Moitra, Kochanski, Karro and Sculley, "Google Vizier: A Service
    for Black-Box Optimization" (KDD 2017), section 3.2.2: the best value of the trial is compared with the median of
    the others' running averages up to the same epoch. It depends on no model of learning curves, and stops at most
    about half of the trials at an epoch.

    It departs from the paper in two ways. The others are all trials that have reached the epoch, not only those that
    have been trained to their end: so it begins to stop before one has. And the running average is that of a trial's
    best value so far, by which trials are ranked here.

    Args:
        grace_period: Number of epochs that every trial gets.
        min_trials: Number of other trials that must have reached an epoch before a trial is stopped there.

    Raises:
        InvalidDeclaration: An argument is wrong; all mistakes are listed.

    Example:
        >>> from tune_jobs.schedulers import MedianStopping
        >>> schedule = MedianStopping(min_trials=2).start(max_epochs=10, seed=0)
        >>> [schedule.report(trial, 1, loss) for trial, loss in enumerate([0.2, 0.4, 0.3])]
        [None, None, None]
        >>> schedule.report(trial=3, epoch=1, loss=0.5)
        'epoch 1: worse than the median of 3 other trials'
    """

    NAME: ClassVar[str] = "median"

    grace_period: int = 1
    min_trials: int = 3

    def problems(self) -> list[str]:
        """Return every mistake in the arguments."""
        problems = (count_problem("grace_period", self.grace_period), count_problem("min_trials", self.min_trials))
        return [problem for problem in problems if problem]

    def epoch_problems(self, max_epochs: int) -> list[str]:
        """Return why it cannot schedule trials of this many epochs; nothing if it can."""
        return grace_problems(self.grace_period, max_epochs)

    def rungs(self, max_epochs: int) -> tuple[int, ...]:
        """Return ``grace_period * 2 ** k`` below ``max_epochs``.

        Trials are compared after every epoch from ``grace_period`` on. At these epochs searchers judge them, and
        checkpoints are written.
        """
        return geometric_rungs(self.grace_period, _RATIO, max_epochs)

    def start(self, max_epochs: int, seed: int) -> Schedule:  # noqa: ARG002 - nothing is drawn
        """Return the schedule of a new run."""
        return _MedianSchedule(self.grace_period, self.min_trials)


class _MedianSchedule(Schedule):
    def __init__(self, grace_period: int, min_trials: int) -> None:
        self._grace_period = grace_period
        self._min_trials = min_trials
        self._sums: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])  # of losses, and their number
        self._averages: defaultdict[int, list[float]] = defaultdict(list)  # at each epoch, ascending

    def report(self, trial: int, epoch: int, loss: float) -> str | None:
        total = self._sums[trial]
        total[0] += loss
        total[1] += 1
        others = self._averages[epoch]
        count = len(others)
        is_worse = epoch >= self._grace_period and count >= self._min_trials and loss > median(others)
        insort(others, total[0] / total[1])
        return f"epoch {epoch}: worse than the median of {count} other trials" if is_worse else None


def median(ascending: Sequence[float]) -> float:
    """Return the median of sorted numbers, at least one; of two in the middle their mean."""
    half = len(ascending) // 2
    return ascending[half] if len(ascending) % 2 else (ascending[half - 1] + ascending[half]) / 2
