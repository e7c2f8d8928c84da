"""Random search: independent draws, as each parameter declares."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from search_spaces import SearchSpace
from trainables.random_streams import RandomStream
from tune_jobs.searchers.base import Config, Search, Searcher

_TRIES = 1000


@dataclass(frozen=True)
class Random(Searcher):
    """Draws configurations independently (Bergstra and Bengio 2012), and none twice.

    Trial n's draw depends on the seed and n alone, unless a small space makes it repeat an earlier one.
    """

    NAME: ClassVar[str] = "random"
    FORESEEN: ClassVar[bool] = True

    def problems(self) -> list[str]:
        """Nothing can be wrong with it."""
        return []

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:  # noqa: ARG002
        """Begins a run."""
        return _RandomSearch(space, seed)


class _RandomSearch(Search):
    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._space = space
        self._seed = seed
        self._tried: set[str] = set()

    def propose(self, trial: int) -> Config | None:
        config = self._unseen(np.random.default_rng([self._seed, trial, RandomStream.RANDOM_SEARCH]))
        if config is not None:
            self.remember(trial, config)
        return config

    def remember(self, trial: int, config: Config) -> None:  # noqa: ARG002 - the interface's
        self._tried.add(_key(config))

    def _unseen(self, rng: np.random.Generator) -> Config | None:
        for _ in range(_TRIES):
            config = self._space.sample(rng)
            if _key(config) not in self._tried:
                return config
        # Nearly all of a small space was tried, or what is left is most unlikely: look for it in order.
        if self._space.size == len(self._tried) or not isinstance(self._space.size, int):
            return None
        return next((config for config in self._space.grid() if _key(config) not in self._tried), None)


def _key(config: Config) -> str:
    return json.dumps(config, sort_keys=True)
