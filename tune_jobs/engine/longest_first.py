"""Starts the longest trials first, where it is known beforehand which there are, so that no worker idles at the end."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from search_spaces import SearchSpace
from search_spaces.vectors import Vectors
from tune_jobs.experiment import Experiment
from tune_jobs.searchers.base import Config

_RIDGE = 0.1
_LEAST_S = 1e-6


class LongestFirst:
    """Trials that wait, the one that is thought to take longest first.

    The order is Graham's ("Bounds on multiprocessing timing anomalies", 1969): where the times are known, no schedule
    of it is longer than 4/3 of the best. Here they are learned from the epochs that others reported: ridge regression
    of the logarithm of an epoch's seconds on the configuration's vector. What nothing tells apart keeps its order.

    Args:
        space: Theirs.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._vectors = Vectors(space)
        self._waiting: dict[int, Config] = {}
        self._rows: dict[int, NDArray[np.float64]] = {}
        self._gram = _RIDGE * np.eye(1 + self._vectors.width)
        self._moment = np.zeros(1 + self._vectors.width)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, trial: int, config: Config) -> None:
        """One more waits; its number is the highest."""
        self._waiting[trial] = config
        self._know(trial, config)

    def first(self) -> int:
        """The trial that is next.

        Raises:
            ValueError: None waits.
        """
        expected = np.array([self._rows[trial] for trial in self._waiting]) @ np.linalg.solve(self._gram, self._moment)
        # Rounded: what is equal but for the rounding of floats keeps its order, which is that of the numbers.
        return list(self._waiting)[int(np.argmax(expected.round(6)))]

    def take(self, trial: int) -> Config:
        """It waits no longer."""
        return self._waiting.pop(trial)

    def learn(self, trial: int, config: Config, seconds: float) -> None:
        """An epoch of a trial took so long."""
        row = self._know(trial, config)
        self._gram += np.outer(row, row)
        self._moment += row * math.log(max(seconds, _LEAST_S))

    def _know(self, trial: int, config: Config) -> NDArray[np.float64]:
        if trial not in self._rows:
            self._rows[trial] = np.append(1.0, self._vectors.embed([config])[0])
        return self._rows[trial]


def queue_for(experiment: Experiment) -> LongestFirst | None:
    """What orders the trials of an experiment; None where their order is the searcher's to say.

    It is where a proposal depends on results, and where a trial may be stopped, or the run be over, before all have
    trained: then the long ones would be tried instead of the others.
    """
    bounded = experiment.rungs or experiment.time_budget_s is not None or experiment.total_epochs is not None
    return LongestFirst(experiment.space) if experiment.searcher.FORESEEN and not bounded else None
