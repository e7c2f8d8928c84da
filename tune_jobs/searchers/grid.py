"""Grid search: every configuration of a finite space, in order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from search_spaces import InvalidDeclaration, SearchSpace
from tune_jobs.searchers.base import Config, Search, Searcher


@dataclass(frozen=True)
class Grid(Searcher):
    """Tries every configuration once, the last declared parameter varying fastest. ``trials`` may end it earlier."""

    NAME: ClassVar[str] = "grid"
    FORESEEN: ClassVar[bool] = True

    def problems(self) -> list[str]:
        """Nothing can be wrong with it."""
        return []

    def space_problems(self, space: SearchSpace) -> list[str]:
        """A continuous parameter has no grid."""
        if space.size != math.inf:
            return []
        try:
            space.grid()
        except InvalidDeclaration as error:
            return list(error.problems)
        return []

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:  # noqa: ARG002
        """Begins a run; a grid has nothing random."""
        return _GridSearch(space)


class _GridSearch(Search):
    def __init__(self, space: SearchSpace) -> None:
        self._elsewhere: list[Config] = []  # tried by other runs
        self._left = (config for config in space.grid() if config not in self._elsewhere)

    def propose(self, trial: int) -> Config | None:  # noqa: ARG002 - the interface's
        return next(self._left, None)

    def remember(self, trial: int, config: Config) -> None:
        if trial < 0:
            self._elsewhere.append(config)
        else:
            next(self._left, None)
