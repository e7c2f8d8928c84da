"""Random search: independent draws, as each parameter declares them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from search_spaces import SearchSpace
from search_spaces.space import Config
from trainables.random_streams import RandomStream
from tune_jobs.searchers.base import Search, Searcher
from tune_jobs.searchers.tried import TriedConfigs

_MAX_DRAWS = 1000


@dataclass(frozen=True)
class Random(Searcher):
    """A searcher that draws configurations independently of each other, and none twice.

    Random search is described by Bergstra and Bengio (2012, "Random Search for Hyper-Parameter Optimization"). The draw
    of trial n depends only on the seed and n, unless it would repeat an earlier one, as in a small space.

    Example:
        >>> from search_spaces import Boolean, Choice, SearchSpace
        >>> from tune_jobs.searchers import Random
        >>> space = SearchSpace(units=Choice(32, 64), bias=Boolean())
        >>> search = Random().start(space, seed=0, rungs=(), max_epochs=10)
        >>> configs = [search.propose(trial) for trial in range(5)]
        >>> sorted(configs[:4], key=str) == sorted(space.grid(), key=str)
        True
        >>> configs[4] is None
        True
    """

    NAME: ClassVar[str] = "random"
    FORESEEN: ClassVar[bool] = True

    def problems(self) -> list[str]:
        """Return nothing: there are no arguments."""
        return []

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:  # noqa: ARG002
        """Return the search of a new run."""
        return _RandomSearch(space, seed)


class _RandomSearch(Search):
    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._space = space
        self._seed = seed
        self._tried = TriedConfigs(space)

    def propose(self, trial: int) -> Config | None:
        rng = np.random.default_rng([self._seed, trial, RandomStream.RANDOM_SEARCH])
        # After so many draws, nearly all of a small space was tried, or the rest is very unlikely to be drawn.
        config = self._tried.first_untried(self._space.sample(rng) for _ in range(_MAX_DRAWS))
        if config is not None:
            self.remember(trial, config)
        return config

    def remember(self, trial: int, config: Config) -> None:  # noqa: ARG002 - the interface has it
        self._tried.add(config)
