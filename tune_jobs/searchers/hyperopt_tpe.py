"""HyperOpt's tree-structured Parzen estimator, told only results that can be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from search_spaces import SearchSpace
from search_spaces.hyperopt_space import decode, encode, to_hyperopt
from tune_jobs.rules import count_problem, positive_problem
from tune_jobs.searchers.base import Config, Search, Searcher, point_problems, points_problem
from tune_jobs.searchers.merit import Merits

_STREAM = 2  # tells these random numbers from those of schedulers and trials, which have the same seed and trial


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
        return None if to_hyperopt(space) else 1

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        """Begins a run."""
        return _TpeSearch(self, space, seed, Merits([*rungs, max_epochs]))


class _TpeSearch(Search):
    def __init__(self, declared: HyperOpt, space: SearchSpace, seed: int, merits: Merits) -> None:
        self._declared = declared
        self._space = space
        self._seed = seed
        self._merits = merits
        self._tried: dict[int, dict[str, float]] = {}
        self._distributions = to_hyperopt(space)

    @cached_property
    def _domain(self) -> Any:
        from hyperopt.base import Domain

        return Domain(_never_called, self._distributions)

    def propose(self, trial: int) -> Config | None:
        points = self._declared.points
        config = points[trial] if trial < len(points) else self._suggest(trial)
        self.remember(trial, config)
        return config

    def remember(self, trial: int, config: Config) -> None:
        if self._space.contains(config):  # a run that was forced to go on in another space has some that are not
            self._tried[trial] = encode(self._space, config)

    def report(self, trial: int, epoch: int, loss: float) -> None:
        self._merits.report(trial, epoch, loss)

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        self._merits.end(trial, failed=failed, trained_out=trained_out)

    def _suggest(self, trial: int) -> Config:
        from hyperopt import rand, tpe

        if not self._distributions:
            return decode(self._space, {})
        order = [trial for trial in self._merits.order() if trial in self._tried]
        # Trials that cannot be judged yet count as bad (a "constant liar": Ginsbourger, Le Riche and Carraro 2010):
        # with nothing new known, the best candidate of a grid is always the same, and two workers would get it.
        pending = sorted(self._tried.keys() - set(order))
        # Each failure is told twice, without more trials counting as good for it: told once, TPE proposes the gaps
        # between the failures next to a best trial that lies at their edge.
        told = order + pending + [number for number in self._merits.failed() if number in self._tried]
        gamma = self._declared.gamma * math.sqrt((len(order) + len(pending)) / max(len(told), 1))
        # A seed of its own for each trial: its proposal depends on what is known, not on how often it was asked.
        seed = int(np.random.SeedSequence([self._seed, trial, _STREAM]).generate_state(1)[0]) % 2**31
        trials = _as_trials([self._tried[number] for number in told], list(self._distributions))
        if len(order) < self._declared.startup_trials:
            documents = rand.suggest([trial], self._domain, trials, seed)
        else:
            documents = tpe.suggest(
                [trial],
                self._domain,
                trials,
                seed,
                prior_weight=self._declared.prior_weight,
                n_startup_jobs=0,
                n_EI_candidates=self._declared.candidates,
                gamma=gamma,
                verbose=False,
            )
        values = documents[0]["misc"]["vals"]
        return decode(self._space, {label: chosen[0] for label, chosen in values.items() if len(chosen)})


def _never_called(config: Config) -> float:
    """What HyperOpt believes that it minimises: only its proposals are used."""
    raise NotImplementedError(config)


def _as_trials(numbers: Sequence[dict[str, float]], labels: Sequence[str]) -> Any:
    """HyperOpt's record of finished trials, best first: the loss of each is its place.

    Args:
        numbers: For each trial what it tried, by label; the labels that were active, and no others.
        labels: All labels.
    """
    from hyperopt.base import JOB_STATE_DONE, STATUS_OK, Trials

    documents = [
        {
            "tid": place,
            "state": JOB_STATE_DONE,
            "spec": None,
            "result": {"status": STATUS_OK, "loss": float(place)},
            "misc": {
                "tid": place,
                "cmd": None,
                "idxs": {label: [place] if label in tried else [] for label in labels},
                "vals": {label: [tried[label]] if label in tried else [] for label in labels},
            },
            "exp_key": None,
            "owner": None,
            "version": 0,
            "book_time": None,
            "refresh_time": None,
        }
        for place, tried in enumerate(numbers)
    ]
    trials = Trials()
    trials.insert_trial_docs(documents)
    trials.refresh()
    return trials
