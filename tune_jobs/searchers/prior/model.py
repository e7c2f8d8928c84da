"""The model of one source of earlier results: what it foretells of configurations, and what it would try."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search_spaces import SearchSpace
from search_spaces.adapters.vectors import Vectors
from search_spaces.space import Config
from tune_jobs.searchers.neighbours import neighbours
from tune_jobs.searchers.trial_order import TrialOrder

if TYPE_CHECKING:
    from tune_jobs.searchers.gaussian_process import Surrogate  # imports SciPy and scikit-learn

_MOST_RESULTS = 150  # that the model learns from: the time to fit it grows with their cube
_BEST_RESULTS = 50  # of them the best; the others are spread over all ranks
_FEWEST_RESULTS = 5  # for a model
_MOST_BELIEVED = 50  # own trials, the newest, near which no further one is proposed
_DRAWS, _STARTS, _NEIGHBOURS = 100, 5, 10


class Prior:
    """The results of one source, which are ranked among each other only, and never with those of the run.

    Args:
        space: The space of the run.
        vectors: The vectors of its configurations.
        rungs: The epochs at which trials are compared, ascending; the last one is the number of a trial's epochs.
        seed: The seed of the experiment.
    """

    def __init__(self, space: SearchSpace, vectors: Vectors, rungs: Sequence[int], seed: int) -> None:
        self._space = space
        self._vectors = vectors
        self._seed = seed
        self._configs: dict[int, Config] = {}
        self._losses: dict[int, float] = {}
        self._foretold: dict[int, float] = {}
        self._order = TrialOrder(rungs)

    def remember(self, trial: int, config: Config) -> None:
        """Take in a trial of the source."""
        if self._space.contains(config):  # the run may have been forced to go on in another space
            self._configs[trial] = config

    def report(self, trial: int, epoch: int, loss: float) -> None:
        """Take in the best loss of a trial up to an epoch."""
        self._losses[trial] = loss
        self._order.report(trial, epoch, loss)

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        """Take in that a trial ended."""
        self._order.end(trial, failed=failed, trained_out=trained_out)

    def foretold(self, rows: dict[int, NDArray[np.float64]]) -> list[float] | None:
        """Return a score for each own trial of the run, less is better; None if the source has too few results.

        Args:
            rows: The vectors of the trials by their numbers.
        """
        if self._model is None:
            return None
        if unknown := [trial for trial in rows if trial not in self._foretold]:
            means = self._model.means(np.array([rows[trial] for trial in unknown]))
            self._foretold |= dict(zip(unknown, means.tolist(), strict=True))
        return [self._foretold[trial] for trial in rows]

    def wanted(
        self, is_tried: Callable[[Config], bool], own: Sequence[NDArray[np.float64]], rng: np.random.Generator
    ) -> Iterator[Config]:
        """Yield the configurations to try, the most wanted first.

        The best result of the source comes first: trained again, it is the measure of all others. Then come those with
        the largest expected improvement, with the run's own trials believed to be as foretold.

        Args:
            is_tried: Returns whether the run has tried a configuration.
            own: The vectors of the run's own trials, the newest last.
            rng: The generator to draw from.
        """
        best = self._best_first
        if best and not is_tried(best[0]):
            yield best[0]
        if self._model is None:
            yield from best
            return
        starts = best[:_STARTS]
        near = [other for config in starts for other in neighbours(self._space, config, _NEIGHBOURS, rng)]
        pool = [*best[: 2 * _STARTS], *near, *(self._space.sample(rng) for _ in range(_DRAWS))]
        pool = [config for config in pool if not is_tried(config)]
        if pool:
            believed = np.array(own[-_MOST_BELIEVED:]).reshape(-1, self._vectors.width)
            model = copy(self._model)
            if len(believed):
                model.believe(believed)
            values = model.expected_improvement(self._vectors.embed(pool))
            yield from (pool[index] for index in np.argsort(-values, kind="stable"))

    @cached_property
    def _best_first(self) -> list[Config]:
        """The configurations of the trials that did not fail, the best first, whatever epoch it was."""
        sound = self._losses.keys() & self._configs.keys() - set(self._order.failed_trials())
        return [self._configs[trial] for trial in sorted(sound, key=lambda trial: (self._losses[trial], -trial))]

    @cached_property
    def _model(self) -> Surrogate | None:
        all_ranks = self._order.mean_ranks()
        ranks = {trial: rank for trial, rank in all_ranks.items() if trial in self._configs}
        if len(ranks) < _FEWEST_RESULTS or not self._vectors.width:
            return None
        from tune_jobs.searchers.gaussian_process import Surrogate, normal_scores

        in_order = sorted(ranks, key=lambda trial: (ranks[trial], trial))
        if len(in_order) > _MOST_RESULTS:
            rest = np.linspace(_BEST_RESULTS, len(in_order) - 1, _MOST_RESULTS - _BEST_RESULTS).round().astype(int)
            in_order = [*in_order[:_BEST_RESULTS], *(in_order[index] for index in rest.tolist())]
        rows = self._vectors.embed([self._configs[trial] for trial in in_order])
        scores = normal_scores(np.array([ranks[trial] for trial in in_order]), len(all_ranks))
        return Surrogate(rows, scores, rows[:0], self._vectors.owners, self._seed)
