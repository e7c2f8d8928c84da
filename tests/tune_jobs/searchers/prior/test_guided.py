"""A search that earlier results guide: what it proposes, when it stops believing, and that it can be resumed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from search_spaces import Float, SearchSpace
from tune_jobs.searchers import Bayesian, Foresight, HyperOpt, Optuna, Random, Search, Searcher
from tune_jobs.searchers.prior.guided import PriorGuidedSearch
from tune_jobs.testing import check_searcher, example_spaces

PLANE = SearchSpace(x=Float(0.0, 1.0), y=Float(0.0, 1.0))


def bowl(config: dict[str, Any]) -> float:
    return (config["x"] - 0.2) ** 2 + (config["y"] - 0.7) ** 2


def guided(
    own: Searcher,
    space: SearchSpace,
    losses: Sequence[Callable[[dict[str, Any]], float]],
    *,
    seed: int = 0,
    count: int = 30,
) -> PriorGuidedSearch:
    """A search that begins with results, as many of each source, with these losses."""
    search = own.start(space, seed=seed, rungs=(1, 3), max_epochs=9)
    firsts = [number * count for number in range(len(losses))]
    primed = PriorGuidedSearch(search, space, seed=seed, rungs=(1, 3, 9), sources=firsts)
    rng = np.random.default_rng(7)
    for first, loss in zip(firsts, losses, strict=True):
        for number in range(first, first + count):
            config = space.sample(rng)
            primed.remember(-1 - number, config)
            primed.report(-1 - number, 9, loss(config))
            primed.end(-1 - number, failed=False, trained_out=True)
    return primed


def search_on(search: Search, trials: int, loss: Callable[[dict[str, Any]], float]) -> list[dict[str, Any]]:
    configs = []
    for trial in range(trials):
        config = search.propose(trial)
        assert isinstance(config, dict)
        configs.append(config)
        search.report(trial, 9, loss(config))
        search.end(trial, failed=False, trained_out=True)
    return configs


@pytest.mark.parametrize("own", [Foresight(), HyperOpt(), Bayesian()])
def test_what_was_best_is_tried_again_and_what_is_near_follows(own: Searcher) -> None:
    configs = search_on(guided(own, PLANE, [bowl]), 6, bowl)
    rng = np.random.default_rng(7)
    assert configs[0] == min((PLANE.sample(rng) for _ in range(30)), key=bowl)
    assert sum(bowl(config) < 0.05 for config in configs) >= 3
    assert len({(config["x"], config["y"]) for config in configs}) == 6


def test_half_of_the_first_proposals_are_the_searchs_own() -> None:
    alone = Foresight().start(PLANE, seed=0, rungs=(1, 3), max_epochs=9)
    primed = guided(Foresight(), PLANE, [bowl])
    own = [alone.propose(trial) for trial in range(4)]
    assert [primed.propose(trial) == own[trial] for trial in range(4)] == [False, True, False, True]


def test_an_inverted_prior_is_dropped_after_a_few_results() -> None:
    inverted = guided(HyperOpt(), PLANE, [lambda config: -bowl(config)])
    alone = HyperOpt().start(PLANE, seed=0, rungs=(1, 3), max_epochs=9)
    for trial, config in enumerate(search_on(inverted, 40, bowl)):
        alone.remember(trial, config)
        alone.report(trial, 9, bowl(config))
        alone.end(trial, failed=False, trained_out=True)
    assert inverted.propose(40) == alone.propose(40)  # whoever proposed the trials, it has learned what they show
    far = [config for config in search_on(guided(HyperOpt(), PLANE, [lambda config: -bowl(config)]), 40, bowl)[10:]]
    assert sum(bowl(config) > 0.5 for config in far) <= 2


def test_of_two_sources_the_one_that_ranks_the_results_is_followed() -> None:
    primed = guided(HyperOpt(startup_trials=100), PLANE, [lambda config: -bowl(config), bowl])
    configs = search_on(primed, 14, bowl)
    later = configs[7:]
    assert sum(bowl(config) < 0.05 for config in later) >= 3
    assert sum(bowl(config) > 0.6 for config in later) <= 1


def test_scales_do_not_matter() -> None:
    def configs(loss: Callable[[dict[str, Any]], float]) -> list[dict[str, Any]]:
        return search_on(guided(Foresight(), PLANE, [loss]), 12, bowl)

    assert configs(bowl) == configs(lambda config: 1000 + 50 * bowl(config))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_few_results_are_tried_first_and_believed_no_longer(count: int) -> None:
    primed = guided(Foresight(), PLANE, [bowl], count=count)
    rng = np.random.default_rng(7)
    earlier = sorted((PLANE.sample(rng) for _ in range(count)), key=bowl)
    configs = search_on(primed, 12, bowl)
    assert [config for config in configs if config in earlier][:2] == earlier[:2]


def test_only_failures_propose_nothing() -> None:
    search = Random().start(PLANE, seed=0, rungs=(), max_epochs=9)
    primed = PriorGuidedSearch(search, PLANE, seed=0, rungs=[9], sources=[0])
    for number in range(3):
        primed.remember(-1 - number, {"x": number / 3, "y": 0.5})
        primed.end(-1 - number, failed=True, trained_out=False)
    assert len(search_on(primed, 8, bowl)) == 8


@dataclass(frozen=True)
class Primed(Searcher):
    """A searcher that begins with results."""

    own: ClassVar[Searcher] = HyperOpt()
    NAME: ClassVar[str] = "primed"

    def problems(self) -> list[str]:
        return []

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        search = self.own.start(space, seed=seed, rungs=rungs, max_epochs=max_epochs)
        count = 12
        primed = PriorGuidedSearch(search, space, seed=seed, rungs=[*rungs, max_epochs], sources=[0, 6])
        rng = np.random.default_rng(3)
        for number in range(count):
            primed.remember(-1 - number, space.sample(rng))
            primed.report(-1 - number, max_epochs, math.sin(number))
            primed.end(-1 - number, failed=number == 4, trained_out=number != 4)
        return primed


class PrimedForesight(Primed):
    own = Foresight(startup_trials=3)


class PrimedOptuna(Primed):
    own = Optuna("TPESampler")
    REASKED = True


@pytest.mark.parametrize("searcher", [Primed(), PrimedForesight(), PrimedOptuna()], ids=lambda one: type(one).__name__)
def test_a_run_that_is_cut_anywhere_goes_on_as_before(searcher: Searcher) -> None:
    if isinstance(searcher, PrimedOptuna):
        pytest.importorskip("optuna")
    check_searcher(searcher, example_spaces()[0])
    check_searcher(searcher, PLANE, trials=20)
