"""HyperOpt's tree-structured Parzen estimator, told only results that can be compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from search_spaces import SearchSpace
from search_spaces.adapters.hyperopt import decode, encode, to_hyperopt
from trainables.random_streams import RandomStream
from tune_jobs.base.rules import count_problem, positive_problem
from tune_jobs.searchers.base import Config, Search, Searcher, point_problems, points_problem
from tune_jobs.searchers.tpe_posterior import Posterior, good_ones, never_called
from tune_jobs.searchers.trial_order import TrialOrder


@dataclass(frozen=True)
class HyperOpt(Searcher):
    """Proposes what is likelier under the good trials than under the bad ones (Bergstra et al. 2011).

    It learns from the order of the trials only, and that order never compares values of different epochs: see
    ``merit``. A trial that failed counts as worse than all others.

    Attributes:
        points: Configurations to try first.
        startup_trials: Trials drawn at random before the estimator has enough to learn from.
        gamma: How many trials count as good: gamma * sqrt(all of them).
        candidates: Draws from the good ones' density, of which the best is proposed.
        prior_weight: Weight of the declared distribution beside one observation.
    """

    NAME: ClassVar[str] = "hyperopt"

    points: Sequence[Config] = ()
    startup_trials: int = 10
    gamma: float = 0.25
    candidates: int = 24
    prior_weight: float = 1.0

    def problems(self) -> list[str]:
        """All that is wrong with it."""
        found = [
            points_problem(self.points),
            count_problem("startup_trials", self.startup_trials),
            positive_problem("gamma", self.gamma),
            count_problem("candidates", self.candidates),
            positive_problem("prior_weight", self.prior_weight),
        ]
        return [problem for problem in found if problem]

    def space_problems(self, space: SearchSpace) -> list[str]:
        """Points that do not lie in the space."""
        return point_problems(self.points, space)

    def limit(self, space: SearchSpace) -> int | None:
        """None: it may propose a configuration again."""
        return None if any(slot.parameter.size != 1 for slot in space.slots()) else 1

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        """Begins a run."""
        return _TpeSearch(self, space, seed, TrialOrder([*rungs, max_epochs]))


class _TpeSearch(Search):
    def __init__(self, declared: HyperOpt, space: SearchSpace, seed: int, merits: TrialOrder) -> None:
        self._declared = declared
        self._space = space
        self._seed = seed
        self._merits = merits
        self._distributions = to_hyperopt(space)
        self._tried = _Tried(list(self._distributions))

    @cached_property
    def _posterior(self) -> Posterior:
        return Posterior(self._distributions, self._declared.prior_weight, self._declared.candidates)

    def propose(self, trial: int) -> Config | None:
        points = self._declared.points
        config = points[trial] if trial < len(points) else self._suggest(trial)
        self.remember(trial, config)
        return config

    def remember(self, trial: int, config: Config) -> None:
        if self._space.contains(config):  # a run that was forced to go on in another space has some that are not
            self._tried.add(trial, encode(self._space, config))

    def report(self, trial: int, epoch: int, loss: float) -> None:
        self._merits.report(trial, epoch, loss)

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        self._merits.end(trial, failed=failed, trained_out=trained_out)

    def _suggest(self, trial: int) -> Config:
        if not self._distributions:
            return decode(self._space, {})
        order = [trial for trial in self._merits.order() if trial in self._tried.rows]
        # A seed of its own for each trial: its proposal depends on what is known, not on how often it was asked.
        seed = int(np.random.SeedSequence([self._seed, trial, RandomStream.HYPEROPT]).generate_state(1)[0]) % 2**31
        if len(order) < self._declared.startup_trials:
            return decode(self._space, _drawn(self._distributions, seed))
        # Trials that cannot be judged yet count as bad (a "constant liar": Ginsbourger, Le Riche and Carraro 2010):
        # with nothing new known, the best candidate of a grid is always the same, and two workers would get it.
        pending = sorted(self._tried.rows.keys() - set(order))
        # Each failure is told twice, without more trials counting as good for it: told once, TPE proposes the gaps
        # between the failures next to a best trial that lies at their edge.
        told = order + pending + [number for number in self._merits.failed() if number in self._tried.rows]
        good = good_ones(self._declared.gamma * math.sqrt((len(order) + len(pending)) / len(told)), len(told))
        return decode(self._space, self._posterior.propose(self._tried.split(told, good), seed))


class _Tried:
    """What each trial tried, in a table that only grows: a row a trial, a column a label, NaN where it was inactive.

    Attributes:
        rows: The row of each trial.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.rows: dict[int, int] = {}
        self._labels = labels
        self._table = np.full((64, len(labels)), math.nan)

    def add(self, trial: int, numbers: Mapping[str, float]) -> None:
        """A trial tries these numbers, by label; one that is told again, replaces what was told."""
        row = self.rows.setdefault(trial, len(self.rows))
        if row == len(self._table):
            self._table = np.concatenate([self._table, np.full_like(self._table, math.nan)])
        self._table[row] = [numbers.get(label, math.nan) for label in self._labels]

    def split(self, trials: Sequence[int], good: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """What the first ``good`` of some trials tried, and what the others did, by label, in their order."""
        table = self._table[[self.rows[trial] for trial in trials]]
        tried = ~np.isnan(table)
        return {
            label: (table[:good, column][tried[:good, column]], table[good:, column][tried[good:, column]])
            for column, label in enumerate(self._labels)
        }


def _drawn(distributions: Mapping[str, Any], seed: int) -> dict[str, float]:
    """A number of each label, drawn from what is declared."""
    from hyperopt import rand
    from hyperopt.base import Domain, Trials

    (document,) = rand.suggest([0], Domain(never_called, dict(distributions)), Trials(), seed)
    return {label: chosen[0] for label, chosen in document["misc"]["vals"].items() if len(chosen)}
