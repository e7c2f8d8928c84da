"""Bayesian optimisation with a Gaussian process, in spaces with conditions too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from search_spaces import SearchSpace
from search_spaces.adapters.vectors import Vectors
from trainables.random_streams import RandomStream
from tune_jobs.base.rules import count_problem
from tune_jobs.searchers.base import Config, Search, Searcher, point_problems, points_problem
from tune_jobs.searchers.neighbours import neighbours
from tune_jobs.searchers.trial_order import TrialOrder

if TYPE_CHECKING:
    from tune_jobs.searchers.gaussian_process import Surrogate

_BEST = 5  # configurations whose neighbours are looked at
_NEIGHBOURS = 10  # of each
_ROUNDS = 4

_Vector = tuple[float, ...]


@dataclass(frozen=True)
class Bayesian(Searcher):
    """Proposes what a Gaussian process expects to improve most on the best (Jones, Schonlau and Welch 1998).

    It learns from the order of the trials only, and that order never compares values of different epochs: see
    ``merit``. A trial that failed counts as worse than all others. Nothing is tried twice.

    Attributes:
        points: Configurations to try first.
        startup_trials: Trials drawn at random before there is a model.
        candidates: Draws from the space at which the improvement is looked for; a search among the neighbours of the
            most promising follows.
    """

    NAME: ClassVar[str] = "bayesian"

    points: Sequence[Config] = ()
    startup_trials: int = 5
    candidates: int = 500

    def problems(self) -> list[str]:
        """All that is wrong with it."""
        found = [
            points_problem(self.points),
            count_problem("startup_trials", self.startup_trials),
            count_problem("candidates", self.candidates),
        ]
        return [problem for problem in found if problem]

    def space_problems(self, space: SearchSpace) -> list[str]:
        """Points that do not lie in the space."""
        return point_problems(self.points, space)

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        """Begins a run."""
        return _BayesianSearch(self, space, seed, TrialOrder([*rungs, max_epochs]))


class _BayesianSearch(Search):
    def __init__(self, declared: Bayesian, space: SearchSpace, seed: int, merits: TrialOrder) -> None:
        self._declared = declared
        self._space = space
        self._seed = seed
        self._merits = merits
        self._vectors = Vectors(space)
        self._tried: dict[int, Config] = {}
        self._placed: dict[int, _Vector] = {}

    def propose(self, trial: int) -> Config | None:
        points = self._declared.points
        config = points[trial] if trial < len(points) else self._choose(trial)
        if config is not None:
            self.remember(trial, config)
        return config

    def remember(self, trial: int, config: Config) -> None:
        if self._space.contains(config):  # a run that was forced to go on in another space has some that are not
            self._tried[trial] = config
            (self._placed[trial],) = self._embedded([config])

    def report(self, trial: int, epoch: int, loss: float) -> None:
        self._merits.report(trial, epoch, loss)

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        self._merits.end(trial, failed=failed, trained_out=trained_out)

    def _choose(self, trial: int) -> Config | None:
        # Random numbers of its own for each trial: its proposal depends on what is known, not on how often
        # it was asked.
        sequence = np.random.SeedSequence([self._seed, trial, RandomStream.BAYESIAN])
        rng = np.random.default_rng(sequence)
        drawn = self._untried([self._space.sample(rng) for _ in range(self._declared.candidates)])
        judged = [each for each in self._merits.order() if each in self._tried]
        if len(judged) < self._declared.startup_trials:
            return next(iter(drawn.values()), None) or self._first_untried()
        best = [self._tried[each] for each in judged[:_BEST]]
        pool = drawn | self._around(best, rng)
        if not pool:
            return self._first_untried()
        return self._most_promising(pool, self._surrogate(judged, int(sequence.generate_state(1)[0])), rng)

    def _surrogate(self, judged: list[int], seed: int) -> Surrogate:
        from tune_jobs.searchers.gaussian_process import Surrogate, normal_scores

        places = self._merits.places()
        scores = normal_scores(np.array([places[each] for each in judged]), len(places))
        pending = [self._placed[each] for each in sorted(self._tried.keys() - set(judged))]
        rows = np.array([self._placed[each] for each in judged])
        return Surrogate(rows, scores, np.array(pending), self._vectors.owners, seed)

    def _most_promising(self, pool: dict[_Vector, Config], surrogate: Surrogate, rng: np.random.Generator) -> Config:
        """The configuration with the largest expected improvement: a local search from the best candidates."""

        def improvements(configs: dict[_Vector, Config]) -> dict[_Vector, float]:
            if not configs:
                return {}
            return dict(zip(configs, surrogate.expected_improvement(np.array(list(configs))).tolist(), strict=True))

        promise = improvements(pool)
        for _ in range(_ROUNDS):
            best = nlargest(_BEST, promise, key=promise.__getitem__)
            near = self._around([pool[each] for each in best], rng)
            pool = pool | near
            promise |= improvements(near)
        return pool[max(promise, key=promise.__getitem__)]

    def _around(self, configs: Sequence[Config], rng: np.random.Generator) -> dict[_Vector, Config]:
        return self._untried([near for each in configs for near in neighbours(self._space, each, _NEIGHBOURS, rng)])

    def _untried(self, configs: Sequence[Config]) -> dict[_Vector, Config]:
        tried = set(self._placed.values())
        return {
            vector: config
            for vector, config in zip(self._embedded(configs), configs, strict=True)
            if vector not in tried
        }

    def _first_untried(self) -> Config | None:
        """Nearly all of a small space was tried, or what is left is most unlikely: look for it in order."""
        if not isinstance(self._space.size, int):
            return None
        tried = set(self._placed.values())
        return next((config for config in self._space.grid() if self._embedded([config])[0] not in tried), None)

    def _embedded(self, configs: Sequence[Config]) -> list[_Vector]:
        return [tuple(row) for row in self._vectors.embed(configs).tolist()]
