"""Starts the longest of the last trials first, where it is known which they are, so that no worker idles at the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces import SearchSpace
from search_spaces.adapters.vectors import Vectors
from tune_jobs.experiment.experiment import Experiment

_RIDGE = 0.1
_LEAST_S = 1e-6
_MOST = 64  # trials that it remembers, the newest
_WIDEST = 256  # numbers in a vector: a proposal costs their cube


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
        self._took: dict[int, tuple[dict[str, Any], float]] = {}

    def first(self, waiting: Mapping[int, dict[str, Any]]) -> int:
        """The trial that is next.

        Args:
            waiting: Configurations by trial, at least one, in the order that they keep.
        """
        # Where a run was forced to go on in another space, what was learned before need not lie in it.
        known = [(config, seconds) for config, seconds in self._took.values() if self._space.contains(config)]
        rows = self._rows([config for config, _ in known])
        logarithms = np.array([math.log(max(seconds, _LEAST_S)) for _, seconds in known])
        weights = np.linalg.solve(_RIDGE * np.eye(rows.shape[1]) + rows.T @ rows, rows.T @ logarithms)
        # Rounded: what is equal but for the rounding of floats keeps its order.
        return list(waiting)[int(np.argmax((self._rows(list(waiting.values())) @ weights).round(6)))]

    def learn(self, trial: int, config: dict[str, Any], seconds: float) -> None:
        """An epoch of a trial took so long; the newest one counts, a first one is also traced."""
        self._took[trial] = config, seconds
        if len(self._took) > _MOST:
            del self._took[next(iter(self._took))]

    def _rows(self, configs: Sequence[dict[str, Any]]) -> NDArray[np.float64]:
        """Vectors, each after a 1. Shape: (configurations, 1 + width)."""
        return np.column_stack([np.ones(len(configs)), Vectors(self._space).embed(configs)])


def order_of(experiment: Experiment) -> LongestFirst | None:
    """What orders the last trials of an experiment; None where their order is the searcher's to say.

    It is where a proposal depends on results, and where a trial may be stopped, or the run be over, before all have
    trained: then the long ones would be tried instead of the others.
    """
    bounded = experiment.rungs or experiment.time_budget_s is not None or experiment.total_epochs is not None
    if bounded or not experiment.searcher.FORESEEN or Vectors(experiment.space).width > _WIDEST:
        return None
    return LongestFirst(experiment.space)
