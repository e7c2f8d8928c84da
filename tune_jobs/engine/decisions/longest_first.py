"""The order of the last trials: the longest start first, where their durations are known, so that no worker idles."""

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
_MIN_S = 1e-6
_MAX_REMEMBERED = 64  # trials, the newest
_MAX_WIDTH = 256  # numbers in a vector: a proposal costs their cube


class LongestFirst:
    """The choice of the trial that is expected to take longest.

    The order is Graham's ("Bounds on multiprocessing timing anomalies", 1969): where the durations are known, its
    schedule is never longer than 4/3 of the best. Here durations are learned from the reported epochs: ridge regression
    of the logarithm of an epoch's seconds on the configuration's vector. Trials that cannot be told apart keep their
    order.

    Args:
        space: The space of the configurations.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._seconds: dict[int, tuple[dict[str, Any], float]] = {}

    def choose(self, waiting: Mapping[int, dict[str, Any]]) -> int:
        """Return the trial that starts next.

        Args:
            waiting: Configurations by trial, at least one, in the order that they keep.
        """
        # If the run was forced to go on in another space, earlier configurations need not lie in it.
        known = [(config, seconds) for config, seconds in self._seconds.values() if self._space.contains(config)]
        rows = self._rows([config for config, _ in known])
        logarithms = np.array([math.log(max(seconds, _MIN_S)) for _, seconds in known])
        weights = np.linalg.solve(_RIDGE * np.eye(rows.shape[1]) + rows.T @ rows, rows.T @ logarithms)
        # Rounded: trials that differ by the rounding of floats only keep their order.
        return list(waiting)[int(np.argmax((self._rows(list(waiting.values())) @ weights).round(6)))]

    def learn(self, trial: int, config: dict[str, Any], seconds: float) -> None:
        """Learn the duration of a trial's newest epoch. Only that one counts: a first epoch is also traced.

        Args:
            trial: The number of the trial.
            config: Its configuration.
            seconds: The duration of the epoch, in seconds.
        """
        self._seconds[trial] = config, seconds
        if len(self._seconds) > _MAX_REMEMBERED:
            del self._seconds[next(iter(self._seconds))]

    def _rows(self, configs: Sequence[dict[str, Any]]) -> NDArray[np.float64]:
        """Return the vectors, each after a 1. Shape: (configurations, 1 + width)."""
        return np.column_stack([np.ones(len(configs)), Vectors(self._space).embed(configs)])


def order_of(experiment: Experiment) -> LongestFirst | None:
    """Return the order of an experiment's last trials; None if the order of the searcher is used.

    The order of the searcher is used if the searcher learns from results, or if a trial or the run may end early:
    starting long trials first would then drop short ones.
    """
    may_end_early = experiment.rungs or experiment.time_budget_s is not None or experiment.total_epochs is not None
    if may_end_early or not experiment.searcher.FORESEEN or Vectors(experiment.space).width > _MAX_WIDTH:
        return None
    return LongestFirst(experiment.space)
