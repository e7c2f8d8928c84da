"""The results from which the curve model learns: losses of trials after some epochs, as scores of their ranks."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NO_TRIAL = int(np.iinfo(np.intp).min)
"""The number that stands for no trial. Trials of other runs have negative numbers, too."""

_FACTOR = 3  # between two epochs that are looked at, where no scheduler has rungs
_MOST_WEIGHT = 4.0  # of a result at a rung with few, compared to one at the rung with most
_LEVEL_PART, _SCORE_PART, _CHANCE_PART = 1.0, 0.3, 1.5  # of the preference for a result, where not all can be used


@dataclass
class _Curve:
    """The best losses of a trial by epoch: at the epochs that are looked at, and its latest one."""

    losses: dict[int, float] = field(default_factory=dict)
    failed: bool = False
    ended: bool = False


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

    Args:
        rungs: The epochs at which trials are compared, ascending; none if nothing compares them.
        max_epochs: The number of a trial's epochs.

    Attributes:
        reports: The number of reports so far.
    """

    def __init__(self, rungs: Sequence[int], max_epochs: int) -> None:
        self._max_epochs = max_epochs
        self._looked_at = [*(rungs or _powers(max_epochs)), max_epochs]
        self._curves: dict[int, _Curve] = {}
        self.reports = 0

    @property
    def levels(self) -> int:
        """The number of epochs that are looked at."""
        return len(self._looked_at)

    def report(self, trial: int, epoch: int, loss: float) -> None:
        """Take in a trial's best loss up to an epoch."""
        losses = self._curves.setdefault(trial, _Curve()).losses
        if losses and (latest := next(reversed(losses))) not in self._looked_at:
            del losses[latest]
        losses[epoch] = loss
        self.reports += 1

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        """Take in that a trial ended. One that failed is worse at its end than all others."""
        curve = self._curves.setdefault(trial, _Curve())
        curve.ended, curve.failed = True, failed
        if failed:
            curve.losses[self._max_epochs] = math.inf
        elif trained_out and curve.losses:
            # With more epochs the trial would have stayed the same.
            curve.losses[self._max_epochs] = next(reversed(curve.losses.values()))

    def known(self) -> list[int]:
        """Return the trials that have results, in the order of their numbers."""
        return sorted(trial for trial, curve in self._curves.items() if curve.losses)

    def has_failed(self, trial: int) -> bool:
        """Return whether a trial failed."""
        return trial in self._curves and self._curves[trial].failed

    def has_ended(self, trial: int) -> bool:
        """Return whether a trial will have no other result; one that is paused may have."""
        return trial in self._curves and self._curves[trial].ended

    def results(self, trials: Sequence[int]) -> Results:
        """Return the results of trials.

        The scores are normal quantiles of the ranks among all results, early and late ones together, so that a curve's
        fall is seen, and no loss is an outlier (Salinas, Shen and Perrone 2020). Few trials come far: their results
        weigh more, so that late results take their part of the quantiles.

        Args:
            trials: Trials that have results, ascending.
        """
        table = [
            (trial, epoch, max(bisect_right(self._looked_at, epoch) - 1, 0), loss)
            for trial in trials
            for epoch, loss in self._curves[trial].losses.items()
        ]
        numbers, epochs, levels, losses = (np.array(column) for column in zip(*table, strict=True))
        return Results(numbers, epochs, levels, _scores(losses, levels))

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
