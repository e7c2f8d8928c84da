"""HyperOpt's tree-structured Parzen estimator, which gets only results that can be compared with each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from search_spaces import SearchSpace
from search_spaces.adapters.hyperopt import decode, encode, to_hyperopt
from search_spaces.space import Config
from trainables.random_streams import RandomStream
from tune_jobs.base.rules import count_problem, positive_problem
from tune_jobs.searchers.base import MOST_CANDIDATES, Search, Searcher, point_problems, points_problem
from tune_jobs.searchers.internals.tpe_posterior import Posterior, good_count, never_called
from tune_jobs.searchers.neighbours import neighbours
from tune_jobs.searchers.trial_order import TrialOrder
from tune_jobs.searchers.tried import TriedConfigs

_ATTEMPTS = 10  # proposals of the estimator, each with another seed, before others are tried
_NEIGHBOURS = 50


@dataclass(frozen=True)
class HyperOpt(Searcher):
    """A searcher that proposes what is likelier among the good trials than among the bad ones.

    The algorithm is TPE, the tree-structured Parzen estimator (Bergstra, Bardenet, Bengio and Kégl 2011, "Algorithms
    for Hyper-Parameter Optimization"), in HyperOpt's implementation. It learns only from the order of the trials, and
    that order never compares values of different epochs: see ``tune_jobs.searchers.trial_order``. A trial that failed
    counts as worse than all others. Nothing is tried twice.

    Args:
        points: Configurations to try first.
        startup_trials: Number of trials that are drawn at random before the estimator has enough to learn from.
        gamma: Decides how many trials count as good: gamma * sqrt(number of trials).
        candidates: Number of draws from the density of the good trials; the best of them is proposed.
        prior_weight: Weight of the declared distribution; an observation has the weight 1.

    Raises:
        InvalidDeclaration: An argument is wrong; all mistakes are listed.

    Example:
        >>> from search_spaces import Float, SearchSpace
        >>> from tune_jobs.searchers import HyperOpt
        >>> space = SearchSpace(learning_rate=Float(1e-4, 1e-1, log=True))
        >>> searcher = HyperOpt(points=[{"learning_rate": 0.001}])
        >>> search = searcher.start(space, seed=0, rungs=(), max_epochs=10)
        >>> search.propose(0)
        {'learning_rate': 0.001}
        >>> space.contains(search.propose(1))
        True
    """

    NAME: ClassVar[str] = "hyperopt"
    SCALARISED: ClassVar[bool] = True

    points: Sequence[Config] = ()
    startup_trials: int = 10
    gamma: float = 0.25
    candidates: int = 24
    prior_weight: float = 1.0

    def problems(self) -> list[str]:
        """Return every mistake in the arguments."""
        problems = [
            points_problem(self.points),
            count_problem("startup_trials", self.startup_trials),
            positive_problem("gamma", self.gamma),
            count_problem("candidates", self.candidates, most=MOST_CANDIDATES),
            positive_problem("prior_weight", self.prior_weight),
        ]
        return [problem for problem in problems if problem]

    def space_problems(self, space: SearchSpace) -> list[str]:
        """Return why points are not in the space."""
        return point_problems(self.points, space)

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        """Return the search of a new run."""
        return _TpeSearch(self, space, seed, TrialOrder([*rungs, max_epochs]))


class _TpeSearch(Search):
    def __init__(self, searcher: HyperOpt, space: SearchSpace, seed: int, order: TrialOrder) -> None:
        self._searcher = searcher
        self._space = space
        self._seed = seed
        self._order = order
        self._distributions = to_hyperopt(space)
        self._tried = TriedNumbers(list(self._distributions))
        self._tried_configs = TriedConfigs(space)

    @cached_property
    def _posterior(self) -> Posterior:
        return Posterior(self._distributions, self._searcher.prior_weight, self._searcher.candidates)

    def propose(self, trial: int) -> Config | None:
        config = self._tried_configs.first_untried(self._wanted(trial))
        if config is not None:
            self.remember(trial, config)
        return config

    def remember(self, trial: int, config: Config) -> None:
        if self._space.contains(config):  # a run that was forced to go on in another space has some that are not
            self._tried.add(trial, encode(self._space, config))
            self._tried_configs.add(config)

    def report(self, trial: int, epoch: int, loss: float) -> None:
        self._order.report(trial, epoch, loss)

    def pause(self, trial: int) -> None:
        self._order.pause(trial)

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        self._order.end(trial, failed=failed, trained_out=trained_out)

    def _wanted(self, trial: int) -> Iterator[Config]:
        """Yield the configurations to try, the most wanted first."""
        yield from self._searcher.points[trial : trial + 1]
        config: Config = {}
        for attempt in range(_ATTEMPTS):
            yield (config := self._suggest(trial, attempt))
        # The estimator wants what was tried, as in a small space that was searched for long.
        rng = np.random.default_rng([self._seed, trial, RandomStream.HYPEROPT, _ATTEMPTS])
        yield from neighbours(self._space, config, _NEIGHBOURS, rng)

    def _suggest(self, trial: int, attempt: int) -> Config:
        if not self._distributions:
            return decode(self._space, {})
        judged = [number for number in self._order.best_first() if number in self._tried.rows]
        # Each trial has a seed of its own: its proposal depends on what is known, not on the number of proposals so
        # far.
        entropy = [self._seed, trial, RandomStream.HYPEROPT, *([attempt] if attempt else [])]
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0]) % 2**31
        if len(judged) < self._searcher.startup_trials:
            return decode(self._space, _drawn(self._distributions, seed))
        # Trials that cannot be judged yet count as bad (a "constant liar": Ginsbourger, Le Riche and Carraro 2010).
        # With nothing new known, the best candidate of a grid is always the same, and two workers would get it.
        pending = sorted(self._tried.rows.keys() - set(judged))
        # Each failure is listed twice, but no more trials count as good because of it. If it were listed once, TPE
        # would propose the gaps between the failures next to a best trial that lies at their edge.
        failed = [number for number in self._order.failed_trials() if number in self._tried.rows]
        observed = judged + pending + failed
        gamma = self._searcher.gamma * math.sqrt((len(judged) + len(pending)) / len(observed))
        good = good_count(gamma, len(observed))
        return decode(self._space, self._posterior.propose(self._tried.split(observed, good), seed))


class TriedNumbers:
    """The numbers that each trial tried, in a table that only grows.

    The table has a row for each trial and a column for each label. A number is NaN where the label was inactive.

    Args:
        labels: The labels of the columns.

    Attributes:
        rows: The row of each trial.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.rows: dict[int, int] = {}
        self._labels = labels
        self._table = np.full((64, len(labels)), math.nan)

    def add(self, trial: int, numbers: Mapping[str, float]) -> None:
        """Add the numbers of a trial by label, or replace them if the trial is there already."""
        row = self.rows.setdefault(trial, len(self.rows))
        if row == len(self._table):
            self._table = np.concatenate([self._table, np.full_like(self._table, math.nan)])
        self._table[row] = [numbers.get(label, math.nan) for label in self._labels]

    def split(self, trials: Sequence[int], good: int) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Return the numbers of the good trials and those of the others, by label, in the order of the trials.

        Args:
            trials: Trials, the best first; one may be listed several times.
            good: The number of trials at the beginning that count as good.
        """
        table = self._table[[self.rows[trial] for trial in trials]]
        is_active = ~np.isnan(table)
        return {
            label: (
                table[:good, column][is_active[:good, column]],
                table[good:, column][is_active[good:, column]],
            )
            for column, label in enumerate(self._labels)
        }


def _drawn(distributions: Mapping[str, Any], seed: int) -> dict[str, float]:
    """Return a number for each label, drawn from the declared distributions."""
    from hyperopt import rand
    from hyperopt.base import Domain, Trials

    (document,) = rand.suggest([0], Domain(never_called, dict(distributions)), Trials(), seed)
    return {label: values[0] for label, values in document["misc"]["vals"].items() if len(values)}
