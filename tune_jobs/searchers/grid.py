"""Grid search: every configuration of a finite space, in order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from search_spaces import InvalidDeclaration, SearchSpace
from search_spaces.space import Config
from tune_jobs.searchers.base import Search, Searcher, is_of_other_run


@dataclass(frozen=True)
class Grid(Searcher):
    """A searcher that tries every configuration of a finite space once; the last parameter varies fastest.

    An experiment's ``trials`` may end the run earlier.

    Example:
        >>> from search_spaces import Boolean, Choice, SearchSpace
        >>> from tune_jobs.searchers import Grid
        >>> space = SearchSpace(units=Choice(32, 64), bias=Boolean())
        >>> search = Grid().start(space, seed=0, rungs=(), max_epochs=10)
        >>> [search.propose(trial) for trial in range(3)]
        [{'units': 32, 'bias': False}, {'units': 32, 'bias': True}, {'units': 64, 'bias': False}]
    """

    NAME: ClassVar[str] = "grid"
    FORESEEN: ClassVar[bool] = True

    def problems(self) -> list[str]:
        """Return nothing: there are no arguments."""
        return []

    def space_problems(self, space: SearchSpace) -> list[str]:
        """Return the parameters that have a continuum of values, and hence no grid."""
        if space.size != math.inf:
            return []
        try:
            space.grid()
        except InvalidDeclaration as error:
            return list(error.problems)
        return []

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:  # noqa: ARG002
        """Return the search of a new run; nothing in it is random."""
        return _GridSearch(space)


class _GridSearch(Search):
    def __init__(self, space: SearchSpace) -> None:
        self._tried: list[Config] = []  # in other runs, or in the order of a space that has grown since
        self._grid = space.grid()
        self._following = next(self._grid, None)

    def propose(self, trial: int) -> Config | None:  # noqa: ARG002 - the interface has it
        self._pass_tried()
        config = self._following
        self._following = next(self._grid, None)
        return config

    def remember(self, trial: int, config: Config) -> None:
        if not is_of_other_run(trial):
            self._pass_tried()
            if config == self._following:
                self._following = next(self._grid, None)
                return
        self._tried.append(config)

    def _pass_tried(self) -> None:
        while self._following is not None and self._following in self._tried:
            self._following = next(self._grid, None)
