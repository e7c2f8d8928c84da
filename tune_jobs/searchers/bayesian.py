"""Bayesian optimisation with a Gaussian process, also in spaces with conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from search_spaces import SearchSpace
from search_spaces.adapters.vectors import Vectors
from search_spaces.space import Config
from trainables.random_streams import RandomStream
from tune_jobs.base.rules import count_problem
from tune_jobs.searchers.base import MOST_CANDIDATES, Search, Searcher, point_problems, points_problem
from tune_jobs.searchers.neighbours import neighbours
from tune_jobs.searchers.trial_order import TrialOrder

if TYPE_CHECKING:
    from tune_jobs.searchers.gaussian_process import Surrogate  # imports SciPy and scikit-learn

_STARTS = 5  # configurations whose neighbours are looked at
_NEIGHBOURS = 10  # of each
_ROUNDS = 4

_Vector = tuple[float, ...]


@dataclass(frozen=True)
class Bayesian(Searcher):
    """A searcher that proposes the configuration with the largest expected improvement on the best.

    The model is a Gaussian process, and the criterion that of Jones, Schonlau and Welch (1998, "Efficient Global
    Optimization of Expensive Black-Box Functions"). It learns only from the order of the trials, and that order never
    compares values of different epochs: see ``tune_jobs.searchers.trial_order``. A trial that failed counts as worse
    than all others. Nothing is tried twice.

    Args:
        points: Configurations to try first.
        startup_trials: Number of trials that are drawn at random before there is a model.
        candidates: Number of draws from the space at which the improvement is computed. A search among the neighbours
            of the most promising ones follows.

    Raises:
        InvalidDeclaration: An argument is wrong; all mistakes are listed.

    Example:
        >>> from search_spaces import Float, SearchSpace
        >>> from tune_jobs.searchers import Bayesian
        >>> space = SearchSpace(learning_rate=Float(1e-4, 1e-1, log=True))
        >>> searcher = Bayesian(points=[{"learning_rate": 0.001}])
        >>> search = searcher.start(space, seed=0, rungs=(), max_epochs=10)
        >>> search.propose(0)
        {'learning_rate': 0.001}
        >>> space.contains(search.propose(1))
        True
    """

    NAME: ClassVar[str] = "bayesian"
    SCALARISED: ClassVar[bool] = True

    points: Sequence[Config] = ()
    startup_trials: int = 5
    candidates: int = 500

    def problems(self) -> list[str]:
        """Return every mistake in the arguments."""
        problems = [
            points_problem(self.points),
            count_problem("startup_trials", self.startup_trials),
            count_problem("candidates", self.candidates, most=MOST_CANDIDATES),
        ]
        return [problem for problem in problems if problem]

    def space_problems(self, space: SearchSpace) -> list[str]:
        """Return why points are not in the space."""
        return point_problems(self.points, space)

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        """Return the search of a new run."""
        return _BayesianSearch(self, space, seed, TrialOrder([*rungs, max_epochs]))


class _BayesianSearch(Search):
    def __init__(self, searcher: Bayesian, space: SearchSpace, seed: int, order: TrialOrder) -> None:
        self._searcher = searcher
        self._space = space
        self._seed = seed
        self._order = order
        self._vectors = Vectors(space)
        self._tried: dict[int, Config] = {}
        self._tried_vectors: dict[int, _Vector] = {}

    def propose(self, trial: int) -> Config | None:
        points = self._untried(self._searcher.points[trial : trial + 1])
        config = next(iter(points.values()), None) or self._choose(trial)
        if config is not None:
            self.remember(trial, config)
        return config

    def remember(self, trial: int, config: Config) -> None:
        if self._space.contains(config):  # a run that was forced to go on in another space has some that are not
            self._tried[trial] = config
            (self._tried_vectors[trial],) = self._embed([config])

    def report(self, trial: int, epoch: int, loss: float) -> None:
        self._order.report(trial, epoch, loss)

    def pause(self, trial: int) -> None:
        self._order.pause(trial)

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        self._order.end(trial, failed=failed, trained_out=trained_out)

    def _choose(self, trial: int) -> Config | None:
        # Each trial has random numbers of its own: its proposal depends on what is known, not on the number of
        # proposals so far.
        sequence = np.random.SeedSequence([self._seed, trial, RandomStream.BAYESIAN])
        rng = np.random.default_rng(sequence)
        drawn = self._untried([self._space.sample(rng) for _ in range(self._searcher.candidates)])
        judged = [number for number in self._order.best_first() if number in self._tried]
        if len(judged) < self._searcher.startup_trials:
            return next(iter(drawn.values()), None) or self._first_untried()
        best = [self._tried[number] for number in judged[:_STARTS]]
        pool = drawn | self._around(best, rng)
        if not pool:
            return self._first_untried()
        return self._most_promising(pool, self._surrogate(judged, int(sequence.generate_state(1)[0])), rng)

    def _surrogate(self, judged: list[int], seed: int) -> Surrogate:
        from tune_jobs.searchers.gaussian_process import Surrogate, normal_scores

        ranks = self._order.mean_ranks()
        scores = normal_scores(np.array([ranks[trial] for trial in judged]), len(ranks))
        pending = [self._tried_vectors[trial] for trial in sorted(self._tried.keys() - set(judged))]
        rows = np.array([self._tried_vectors[trial] for trial in judged])
        return Surrogate(rows, scores, np.array(pending), self._vectors.owners, seed)

    def _most_promising(self, pool: dict[_Vector, Config], surrogate: Surrogate, rng: np.random.Generator) -> Config:
        """Return the configuration with the largest expected improvement: a local search from the best of the pool."""

        def improvements(configs: dict[_Vector, Config]) -> dict[_Vector, float]:
            if not configs:
                return {}
            return dict(zip(configs, surrogate.expected_improvement(np.array(list(configs))).tolist(), strict=True))

        improvement = improvements(pool)
        for _ in range(_ROUNDS):
            best = nlargest(_STARTS, improvement, key=improvement.__getitem__)
            near = self._around([pool[vector] for vector in best], rng)
            pool = pool | near
            improvement |= improvements(near)
        return pool[max(improvement, key=improvement.__getitem__)]

    def _around(self, configs: Sequence[Config], rng: np.random.Generator) -> dict[_Vector, Config]:
        return self._untried([near for config in configs for near in neighbours(self._space, config, _NEIGHBOURS, rng)])

    def _untried(self, configs: Sequence[Config]) -> dict[_Vector, Config]:
        tried = set(self._tried_vectors.values())
        return {
            vector: config for vector, config in zip(self._embed(configs), configs, strict=True) if vector not in tried
        }

    def _first_untried(self) -> Config | None:
        """Return the first untried configuration of a finite space, in order; None if there is none.

        This is needed when nearly all of a small space was tried, or the rest is very unlikely to be drawn.
        """
        if not isinstance(self._space.size, int):
            return None
        tried = set(self._tried_vectors.values())
        return next((config for config in self._space.grid() if self._embed([config])[0] not in tried), None)

    def _embed(self, configs: Sequence[Config]) -> list[_Vector]:
        return [tuple(row) for row in self._vectors.embed(configs).tolist()]
