"""A search that some of the proposals come to from the results of earlier searches, as long as these prove right."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from search_spaces import SearchSpace
from search_spaces.adapters.vectors import Vectors
from search_spaces.space import Config
from trainables.random_streams import RandomStream
from tune_jobs.searchers.base import Search, Waiting, is_of_other_run, number_of_other_run
from tune_jobs.searchers.prior.model import Prior
from tune_jobs.searchers.prior.weight import ENOUGH_RESULTS, rank_correlation, share, trust
from tune_jobs.searchers.trial_order import TrialOrder
from tune_jobs.searchers.tried import TriedConfigs

_GOLDEN = 0.6180339887498949  # its multiples, without their whole parts, are spread evenly over [0, 1)


class PriorGuidedSearch(Search):
    """A search some of whose proposals are made by priors: the results of earlier searches.

    The search itself learns from the trials of the run only, whoever proposed them. So nothing that a prior says
    wrongly stays, and its results need not be of the same scale: another data set may have other losses. PriorBand
    (Mallik and others 2023) mixes proposals of a prior with others in the same way, and gives it more of them if it
    explains the results better. Here the measure is a test of ranks: see ``weight``.

    Args:
        search: The search.
        space: The space of the run.
        seed: The seed of the experiment.
        rungs: The epochs at which trials are compared, ascending; the last one is the number of a trial's epochs.
        sources: The number of the first trial of each source among those of other runs, counted from 0.
    """

    def __init__(
        self, search: Search, space: SearchSpace, *, seed: int, rungs: Sequence[int], sources: Sequence[int]
    ) -> None:
        self._search = search
        self._seed = seed
        self._vectors = Vectors(space)
        self._space = space
        self._first = list(sources)
        self._priors = [Prior(space, self._vectors, rungs, seed) for _ in sources]
        self._order = TrialOrder(rungs)
        self._rows: dict[int, NDArray[np.float64]] = {}
        self._tried = TriedConfigs(space)

    def propose(self, trial: int) -> Config | Waiting | None:
        """Return the configuration of a trial: one of a prior's, or one of the search's own."""
        config = self._of_prior(trial)
        if config is not None:
            self.remember(trial, config)
            return config
        proposal = self._search.propose(trial)
        if isinstance(proposal, dict):
            self._take(trial, proposal)
        return proposal

    def remember(self, trial: int, config: Config) -> None:
        """Take in a trial that was tried before."""
        if is_of_other_run(trial):
            self._prior(trial).remember(trial, config)
            return
        self._take(trial, config)
        self._search.remember(trial, config)

    def report(self, trial: int, epoch: int, loss: float) -> None:
        """Take in a trial's result after an epoch."""
        if is_of_other_run(trial):
            self._prior(trial).report(trial, epoch, loss)
            return
        self._order.report(trial, epoch, loss)
        self._search.report(trial, epoch, loss)

    def report_all(self, trial: int, epoch: int, losses: Sequence[float]) -> None:
        """Take in a trial's result in several objectives. The priors hear of the first one only."""
        if is_of_other_run(trial):
            self._prior(trial).report(trial, epoch, losses[0])
            return
        self._order.report(trial, epoch, losses[0])
        self._search.report_all(trial, epoch, losses)

    def pause(self, trial: int) -> None:
        """Take in that the scheduler paused a trial."""
        self._order.pause(trial)
        self._search.pause(trial)

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        """Take in that a trial ended."""
        if is_of_other_run(trial):
            self._prior(trial).end(trial, failed=failed, trained_out=trained_out)
            return
        self._order.end(trial, failed=failed, trained_out=trained_out)
        self._search.end(trial, failed=failed, trained_out=trained_out)

    def _prior(self, trial: int) -> Prior:
        index = number_of_other_run(trial)  # the inverse of this function is the function
        return self._priors[sum(first <= index for first in self._first) - 1]

    def _take(self, trial: int, config: Config) -> None:
        if self._space.contains(config):  # a run that was forced to go on in another space has some that are not
            (self._rows[trial],) = self._vectors.embed([config])
            self._tried.add(config)

    def _of_prior(self, trial: int) -> Config | None:
        """Return what a prior proposes for a trial; None if it is the search's own turn."""
        position = (trial * _GOLDEN) % 1
        ends = accumulate(self._shares())
        chosen = next((prior for prior, end in zip(self._priors, ends, strict=True) if position < end), None)
        if chosen is None:
            return None
        from tune_jobs.searchers.curve_model import one_thread

        rng = np.random.default_rng([self._seed, trial, RandomStream.PRIOR])
        own = [self._rows[number] for number in sorted(self._rows)]
        with one_thread():
            return next(
                (one for one in chosen.wanted(self._tried.__contains__, own, rng) if one not in self._tried), None
            )

    def _shares(self) -> list[float]:
        ranks = {trial: rank for trial, rank in self._order.mean_ranks().items() if trial in self._rows}
        if not any(share([1.0], len(ranks))):
            return [0.0] * len(self._priors)
        return share([self._trust(prior, ranks) for prior in self._priors], len(ranks))

    def _trust(self, prior: Prior, ranks: dict[int, float]) -> float:
        if len(ranks) < ENOUGH_RESULTS:
            return trust(0.0, len(ranks))
        from tune_jobs.searchers.curve_model import one_thread

        with one_thread():
            foretold = prior.foretold({trial: self._rows[trial] for trial in ranks})
        return 0.0 if foretold is None else trust(rank_correlation(foretold, list(ranks.values())), len(ranks))
