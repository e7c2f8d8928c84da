"""A world that is fitted to the journal of a run: what its trials tell of configurations that were not tried."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata, spearmanr

from search_spaces import SearchSpace
from search_spaces.adapters.vectors import Vectors
from tune_jobs.replay.world import Curve

Array = NDArray[np.float64]

LEAST_TRIALS = 10
"""The number of trials from which on a world is fitted."""

MOST_TRIALS = 2000
"""The number of trials up to which a world is fitted."""
MOST_VALUES = 500_000
"""The most trials times epochs to which a world is fitted: the trees take 1,600 bytes for each."""

_TREES = 100
_FOLDS = 5
_ENOUGH = 8  # trials at an epoch, from which on a rank correlation there is told


@dataclass(frozen=True)
class RecordedTrial:
    """A trial that a run has recorded.

    Attributes:
        config: The configuration.
        losses: The best loss up to each epoch that was trained; infinite before there is one. Shape: (epochs,).
        seconds: The median duration of its epochs, in seconds.
        diverged: True if it diverged in the epoch after the last of ``losses``.
    """

    config: Mapping[str, Any]
    losses: Array
    seconds: float
    diverged: bool


@dataclass(frozen=True)
class Trust:
    """The quality of the fitted world: how well it foretells trials that it was fitted without.

    Attributes:
        epoch: The highest epoch that enough trials reached.
        trials: The number of trials that reached it.
        correlation: The rank correlation there between the losses that were foretold and those that came; NaN if too
            few trials reached any epoch, or all were equal.
    """

    epoch: int
    trials: int
    correlation: float

    def __str__(self) -> str:
        if math.isnan(self.correlation):
            return "It cannot be checked: too few trials differ. Do not decide by these figures."
        checked = f"rank correlation {self.correlation:.2f} at epoch {self.epoch}, {self.trials} trials"
        if self.correlation >= 0.7:
            verdict = "foretells trials that were left out well"
            advice = "differences of more than twice their standard error count"
        elif self.correlation >= 0.4:
            verdict, advice = "foretells trials that were left out roughly", "believe large differences only"
        else:
            verdict, advice = "does not foretell trials that were left out", "do not decide by these figures"
        return f"It {verdict} ({checked}, each left out once): {advice}."


class FittedWorld:
    """The curves that the trials of a run let expect.

    A curve that was stopped is continued as the curves fell that went on from a similar loss at the same epoch. Trees
    (Geurts, Ernst and Wehenkel 2006, "Extremely randomized trees") then average the curves of configurations that are
    alike. Averages are never better than the best that was averaged: nothing better than the run's best can come out.

    Args:
        name: The name for tables.
        space: The space.
        max_epochs: The number of epochs of a trial that nothing stops.
        trials: The trials. At least ``LEAST_TRIALS`` should have a finite loss. With more than ``MOST_TRIALS``, fitting
            takes minutes.
    """

    def __init__(self, name: str, space: SearchSpace, max_epochs: int, trials: Sequence[RecordedTrial]) -> None:
        from sklearn.ensemble import ExtraTreesRegressor

        self.name = name
        self.space = space
        self.max_epochs = max_epochs
        self._trials = [trial for trial in trials if np.isfinite(trial.losses).any() or trial.diverged]
        self._vectors = Vectors(space)
        self._scale = _Scale(self._trials)
        scores = _completed([self._scale.scores(trial.losses) for trial in self._trials], max_epochs)
        diverged = [[float(trial.diverged), len(trial.losses) + 1.0] for trial in self._trials]
        seconds = np.log([[trial.seconds] for trial in self._trials])
        rows = self._vectors.embed([dict(trial.config) for trial in self._trials])
        self._forest = ExtraTreesRegressor(_TREES, max_features=1.0, random_state=0)
        self._forest.fit(rows, np.hstack([scores, diverged, seconds]))

    @property
    def trial_count(self) -> int:
        """The number of trials that it was fitted to."""
        return len(self._trials)

    def curve(self, config: dict[str, Any], trial: int, seed: int) -> Curve:  # noqa: ARG002 - other worlds use them
        """Return the learning curve that is expected of a configuration; it is the same for every trial and seed."""
        return self._curve(self._outputs([config])[0])

    def _outputs(self, configs: Sequence[dict[str, Any]]) -> Array:
        """Return what the forest says of configurations. Shape: (configurations, outputs)."""
        rows = self._vectors.embed(configs).astype(np.float32)
        # The forest's own `predict` takes 5 ms for a row, and that of a tree ten times as long as the tree itself.
        trees = [one.tree_ for one in self._forest.estimators_]
        outputs: Array = np.mean([tree.predict(rows)[:, :, 0] for tree in trees], axis=0)
        return outputs

    def _curve(self, outputs: Array) -> Curve:
        losses = self._scale.losses(outputs[: self.max_epochs])
        diverged, epoch, seconds = outputs[self.max_epochs :]
        if diverged > 0.5:
            losses[min(round(epoch), self.max_epochs) - 1 :] = math.nan
        return Curve(losses, np.full(self.max_epochs, math.exp(seconds)))

    @cached_property
    def trust(self) -> Trust:
        """The quality of a world that is fitted to the other trials: how well it foretells each trial."""
        foretold: list[Array] = [np.empty(0)] * len(self._trials)
        for fold in range(_FOLDS):
            others = [trial for index, trial in enumerate(self._trials) if index % _FOLDS != fold]
            world = FittedWorld(self.name, self.space, self.max_epochs, others)
            left_out = range(fold, len(self._trials), _FOLDS)
            outputs = world._outputs([dict(self._trials[index].config) for index in left_out])
            for index, output in zip(left_out, outputs, strict=True):
                foretold[index] = world._curve(output).losses
        for epoch in range(self.max_epochs, 0, -1):
            pairs = [
                (losses[epoch - 1], trial.losses[epoch - 1])
                for losses, trial in zip(foretold, self._trials, strict=True)
                if len(trial.losses) >= epoch
            ]
            if len(pairs) >= _ENOUGH:
                expected, came = np.nan_to_num(np.array(pairs), nan=np.inf).T
                if len(set(expected)) == 1 or len(set(came)) == 1:
                    break
                return Trust(epoch, len(pairs), float(spearmanr(rankdata(expected), rankdata(came)).statistic))
        return Trust(0, 0, math.nan)


class _Scale:
    """Losses as normal scores of their ranks, and back: no loss is an outlier, whatever its size."""

    def __init__(self, trials: Sequence[RecordedTrial]) -> None:
        losses = np.concatenate([trial.losses for trial in trials])
        self._losses = np.unique(losses[np.isfinite(losses)])
        self._scores = ndtri((np.arange(len(self._losses)) + 0.5) / len(self._losses))

    def scores(self, losses: Array) -> Array:
        """Return the scores of losses; of an infinite loss, the worst."""
        return np.asarray(np.interp(losses, self._losses, self._scores))

    def losses(self, scores: Array) -> Array:
        """Return the losses of scores."""
        return np.asarray(np.interp(scores, self._scores, self._losses))


def _completed(curves: Sequence[Array], max_epochs: int) -> Array:
    """Return curves of full length. Shape: (curves, epochs).

    Args:
        curves: The scores of each trial after each epoch that it was trained for; a trial may have none.
        max_epochs: The number of epochs.
    """
    table = np.full((len(curves), max_epochs), np.nan)
    for row, curve in zip(table, curves, strict=True):
        row[: len(curve)] = curve[:max_epochs]
    recorded = ~np.isnan(table)
    worst = np.nanmax(table)
    for row in table:
        known = int((~np.isnan(row)).sum())
        if known == 0:
            row[0], known = worst, 1
        for epoch in range(known, max_epochs):
            went_on = recorded[:, epoch] & recorded[:, epoch - 1]
            falls = table[went_on, epoch] - table[went_on, epoch - 1]
            closeness = np.exp(-np.abs(table[went_on, epoch - 1] - row[epoch - 1]))
            fall = float(np.average(falls, weights=closeness)) if went_on.any() else 0.0
            row[epoch] = row[epoch - 1] + min(fall, 0.0)
    return table
