"""The results from which the curve model learns: losses of trials after some epochs, as scores of their ranks."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NO_TRIAL = int(np.iinfo(np.intp).min)
"""The number that stands for no trial. Trials of other runs have negative numbers, too."""

_FIRST_ROWS = 64
_FACTOR = 3  # between two epochs that are looked at, where no scheduler has rungs
_MOST_WEIGHT = 4.0  # of a result at a rung with few, compared to one at the rung with most
_LEVEL_PART, _SCORE_PART, _CHANCE_PART = 1.0, 0.3, 1.5  # of the preference for a result, where not all can be used


@dataclass(frozen=True)
class Results:
    """Results in the order of trials and epochs.

    Attributes:
        trials: The trial of each result. Shape: (results,).
        epochs: The epoch of each result. Shape: (results,).
        levels: The number of the rung at which or after which it came, from 0. Shape: (results,).
        scores: The score of each result; less is better. Shape: (results,).
    """

    trials: NDArray[np.intp]
    epochs: NDArray[np.intp]
    levels: NDArray[np.intp]
    scores: Array

    def __len__(self) -> int:
        return len(self.trials)

    def preferred(self, most: int, seed: int) -> Results:
        """Return the results if they are not too many; else the preferred ones: late, good, and some by chance."""
        if len(self) <= most:
            return self
        chance = np.random.default_rng(seed).random(len(self))
        preference = _LEVEL_PART * self.levels - _SCORE_PART * self.scores + _CHANCE_PART * chance
        kept = np.sort(np.argsort(-preference, kind="stable")[:most])
        return Results(self.trials[kept], self.epochs[kept], self.levels[kept], self.scores[kept])


class CurveResults:
    """The results of a run, which are kept up to date with its reports.

    A trial has a row of losses: one at each epoch that is looked at, and its latest one in the last column but one. A
    searcher asks for all of them for every proposal, and a run may have 10,000 trials: so they are kept in arrays.

    Args:
        rungs: The epochs at which trials are compared, ascending; none if nothing compares them.
        max_epochs: The number of a trial's epochs.

    Attributes:
        reports: The number of reports so far.
    """

    def __init__(self, rungs: Sequence[int], max_epochs: int) -> None:
        self._max_epochs = max_epochs
        self._looked_at = [*(rungs or _powers(max_epochs)), max_epochs]
        self._latest, self._end = self.levels - 1, self.levels  # columns
        self._columns = {epoch: column for column, epoch in enumerate(self._looked_at[:-1])} | {max_epochs: self._end}
        self._rows: dict[int, int] = {}
        self._known: list[int] = []
        self._epochs = np.zeros((_FIRST_ROWS, self.levels + 1), dtype=np.intp)  # 0: no result
        self._losses = np.zeros(self._epochs.shape)
        self._latest_losses: dict[int, float] = {}
        self._ended: set[int] = set()
        self._failed: set[int] = set()
        self.reports = 0

    @property
    def levels(self) -> int:
        """The number of epochs that are looked at."""
        return len(self._looked_at)

    def report(self, trial: int, epoch: int, loss: float) -> None:
        """Take in a trial's best loss up to an epoch."""
        self._set(trial, self._latest, 0, 0.0)
        self._set(trial, self._columns.get(epoch, self._latest), epoch, loss)
        self._latest_losses[trial] = loss
        self.reports += 1

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        """Take in that a trial ended. One that failed is worse at its end than all others."""
        self._ended.add(trial)
        if failed:
            self._failed.add(trial)
            self._set(trial, self._end, self._max_epochs, math.inf)
        elif trained_out and trial in self._latest_losses:
            # With more epochs the trial would have stayed the same.
            self._set(trial, self._end, self._max_epochs, self._latest_losses[trial])

    def _set(self, trial: int, column: int, epoch: int, loss: float) -> None:
        if trial not in self._rows:
            self._rows[trial] = len(self._rows)
            insort(self._known, trial)
            if len(self._rows) > len(self._epochs):
                self._epochs = np.vstack([self._epochs, np.zeros_like(self._epochs)])
                self._losses = np.vstack([self._losses, np.zeros_like(self._losses)])
        row = self._rows[trial]
        self._epochs[row, column], self._losses[row, column] = epoch, loss

    def known(self) -> list[int]:
        """Return the trials that have results, in the order of their numbers."""
        return list(self._known)

    def is_known(self, trial: int) -> bool:
        """Return whether a trial has results."""
        return trial in self._rows

    def has_failed(self, trial: int) -> bool:
        """Return whether a trial failed."""
        return trial in self._failed

    def has_ended(self, trial: int) -> bool:
        """Return whether a trial will have no other result; one that is paused may have."""
        return trial in self._ended

    def results(self, trials: Sequence[int]) -> Results:
        """Return the results of trials.

        The scores are normal quantiles of the ranks among all results, early and late ones together, so that a curve's
        fall is seen, and no loss is an outlier (Salinas, Shen and Perrone 2020). Few trials come far: their results
        weigh more, so that late results take their part of the quantiles.

        Args:
            trials: Trials that have results, ascending.
        """
        rows = np.array([self._rows[trial] for trial in trials])
        table = self._epochs[rows]
        present = table > 0
        epochs = table[present]
        levels = np.maximum(np.searchsorted(self._looked_at, epochs, "right") - 1, 0)
        numbers = np.repeat(np.array(trials), present.sum(1))
        return Results(numbers, epochs, levels, _scores(self._losses[rows][present], levels))

    def times(self, epochs: NDArray[np.intp]) -> Array:
        """Return the logarithms of epochs, as parts of that of the last epoch."""
        if self._max_epochs == 1:
            return np.ones(len(epochs))
        return np.asarray(np.log(epochs) / math.log(self._max_epochs))


def _powers(max_epochs: int) -> list[int]:
    epochs, epoch = [], 1
    while epoch < max_epochs:
        epochs.append(epoch)
        epoch *= _FACTOR
    return epochs


def _scores(losses: Array, levels: NDArray[np.intp]) -> Array:
    from scipy.special import ndtri

    weights = 1.0 / np.bincount(levels)[levels]
    weights = np.minimum(weights, _MOST_WEIGHT * weights.min())
    order = np.argsort(losses, kind="stable")
    ascending, sums = losses[order], np.concatenate([[0.0], np.cumsum(weights[order])])
    # Equal losses share the middle of their quantiles.
    first, last = np.searchsorted(ascending, ascending, "left"), np.searchsorted(ascending, ascending, "right")
    scores = np.empty(len(losses))
    scores[order] = ndtri((sums[first] + sums[last]) / (2 * sums[-1]))
    return scores
