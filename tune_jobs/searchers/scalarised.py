"""A search in several objectives: each proposal weighs them in another way (ParEGO)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from search_spaces.space import Config
from trainables.random_streams import RandomStream
from tune_jobs.base.objective import PENALTY
from tune_jobs.searchers.base import Search, Waiting

_RHO = 0.05
"""The weight of the sum beside the maximum in the augmented Chebyshev norm, as in ParEGO."""


class ScalarisedSearch(Search):
    """A search whose every proposal is made by a new search that hears all results, made one number each.

    The number is the augmented Chebyshev norm of the losses, with weights that are drawn anew for each trial (Knowles
    2006, "ParEGO"). It departs from that in two things: a loss counts by its rank among all results, as the part of
    them that are better, so that it does not matter which units the objectives have; and the weights are drawn from
    all of the simplex, not from a grid on it. A result that breaks a constraint is worse than all that keep them.

    Nothing of it is kept between proposals but what it was told, so a run that is resumed proposes the same.

    Args:
        start: Makes a search that has heard nothing.
        seed: The seed of the weights.
    """

    def __init__(self, start: Callable[[], Search], seed: int) -> None:
        self._start = start
        self._seed = seed
        self._configs: dict[int, Config] = {}
        self._told: list[Callable[[Search, NDArray[np.float64]], object]] = []
        self._losses: list[tuple[float, ...]] = []
        self._best: dict[int, float] = {}

    def propose(self, trial: int) -> Config | Waiting | None:
        """Return the configuration of a trial."""
        search = self._start()
        for number, known in sorted(self._configs.items()):
            search.remember(number, known)
        rng = np.random.default_rng([self._seed, trial, RandomStream.SCALARISED])
        losses = scalarised(self._losses, rng)
        self._best.clear()
        for tell in self._told:
            tell(search, losses)
        config = search.propose(trial)
        if isinstance(config, dict):
            self._configs[trial] = config
        return config

    def remember(self, trial: int, config: Config) -> None:
        """Take in a trial that was tried before."""
        self._configs[trial] = config

    def report(self, trial: int, epoch: int, loss: float) -> None:
        """Take in a trial's result after an epoch, in the one objective that there is."""
        self.report_all(trial, epoch, (loss,))

    def report_all(self, trial: int, epoch: int, losses: Sequence[float]) -> None:
        """Take in a trial's result after an epoch."""
        index = len(self._losses)
        self._losses.append(tuple(losses))

        def tell(search: Search, scalars: NDArray[np.float64]) -> None:
            best = min(self._best.get(trial, np.inf), float(scalars[index]))
            self._best[trial] = best
            search.report(trial, epoch, best)

        self._told.append(tell)

    def pause(self, trial: int) -> None:
        """Take in that the scheduler paused a trial."""
        self._told.append(lambda search, _: search.pause(trial))

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        """Take in that a trial ended."""
        self._told.append(lambda search, _: search.end(trial, failed=failed, trained_out=trained_out))


def scalarised(losses: Sequence[Sequence[float]], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return one number for each result: less is better, by weights that are drawn.

    Args:
        losses: The losses of the results in all objectives. Shape: (results, objectives).
        rng: The generator of the weights.
    """
    if not losses:
        return np.empty(0)
    table = np.array(losses, dtype=np.float64)
    sound = (table < PENALTY).all(axis=1)
    weights = rng.dirichlet(np.ones(table.shape[1]))
    ranks = np.zeros(table.shape)
    if count := int(sound.sum()):
        for objective, column in enumerate(table[sound].T):
            ranks[sound, objective] = np.searchsorted(np.sort(column), column) / count
    weighed = ranks * weights
    return np.where(sound, weighed.max(axis=1) + _RHO * weighed.sum(axis=1), table[:, 0])
