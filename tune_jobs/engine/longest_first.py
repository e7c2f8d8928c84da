"""Starts the longest of the last trials first, where it is known which they are, so that no worker idles at the end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces import SearchSpace
from search_spaces.vectors import Vectors
from tune_jobs.experiment import Experiment

_RIDGE = 0.1
_LEAST_S = 1e-6
_WIDEST = 256  # numbers in a vector: a report costs their square, a proposal their cube


class LongestFirst:
    """Says which of the trials that wait is thought to take longest.

    The order is Graham's ("Bounds on multiprocessing timing anomalies", 1969): where the times are known, no schedule
    of it is longer than 4/3 of the best. Here they are learned from the epochs that others reported: ridge regression
    of the logarithm of an epoch's seconds on the configuration's vector. What nothing tells apart keeps its order.

    Args:
        space: That of the trials.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._vectors = Vectors(space)
        self._rows: dict[int, NDArray[np.float64]] = {}
        self._gram = _RIDGE * np.eye(1 + self._vectors.width)
        self._moment = np.zeros(1 + self._vectors.width)

    def first(self, waiting: Mapping[int, dict[str, Any]]) -> int:
        """The trial that is next.

        Args:
            waiting: Configurations by trial, at least one, in the order that they keep.
        """
        for trial in waiting.keys() - self._rows.keys():
            self._row(trial, waiting[trial])
        rows = np.array([self._rows[trial] for trial in waiting])
        expected = rows @ np.linalg.solve(self._gram, self._moment)
        # Rounded: what is equal but for the rounding of floats keeps its order.
        return list(waiting)[int(np.argmax(expected.round(6)))]

    def learn(self, trial: int, config: dict[str, Any], seconds: float) -> None:
        """An epoch of a trial took so long."""
        if trial not in self._rows and not self._space.contains(config):
            return  # of a run that was forced to go on in another space
        row = self._row(trial, config)
        self._gram += np.outer(row, row)
        self._moment += row * math.log(max(seconds, _LEAST_S))

    def _row(self, trial: int, config: dict[str, Any]) -> NDArray[np.float64]:
        if trial not in self._rows:
            self._rows[trial] = np.append(1.0, self._vectors.embed([config])[0])
        return self._rows[trial]


def order_of(experiment: Experiment) -> LongestFirst | None:
    """What orders the last trials of an experiment; None where their order is the searcher's to say.

    It is where a proposal depends on results, and where a trial may be stopped, or the run be over, before all have
    trained: then the long ones would be tried instead of the others.
    """
    bounded = experiment.rungs or experiment.time_budget_s is not None or experiment.total_epochs is not None
    if bounded or not experiment.searcher.FORESEEN or Vectors(experiment.space).width > _WIDEST:
        return None
    return LongestFirst(experiment.space)
