"""The proposals of the searchers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from search_spaces import Boolean, Choice, Float, Int, SearchSpace
from tune_jobs.searchers import Bayesian, Foresight, Grid, HyperOpt, Random, Searcher

SPACE = SearchSpace(
    layers=Int(1, 3),
    units=Int(16, 64, step=16).per("layers"),
    optimizer=Choice("adam", "sgd"),
    rate=Float(1e-4, 1e-1, log=True),
    momentum=Float(0.0, 0.9).when(optimizer="sgd"),
)
SMALL = SearchSpace(a=Choice(None, 1, [2]), b=Boolean())


def start(searcher: Searcher, space: SearchSpace = SPACE, seed: int = 0) -> Any:
    return searcher.start(space, seed=seed, rungs=(1, 3), max_epochs=9)


@pytest.mark.parametrize("searcher", [Random(), HyperOpt()])
def test_every_proposal_lies_in_the_space(searcher: Searcher) -> None:
    search = start(searcher)
    for trial in range(60):
        config = search.propose(trial)
        assert SPACE.validate(config) == []
        search.report(trial, 1, config["rate"])
        search.end(trial, failed=trial % 7 == 0, trained_out=False)


@pytest.mark.parametrize("searcher", [Random(), HyperOpt()])
def test_the_same_seed_gives_the_same_proposals_whatever_the_global_state(searcher: Searcher) -> None:
    def proposals(seed: int) -> list[Any]:
        np.random.seed(seed % 2)  # noqa: NPY002 - shows that it does not matter
        search = start(searcher, seed=seed)
        configs = []
        for trial in range(20):
            configs.append(search.propose(trial))
            search.report(trial, 1, configs[-1]["rate"])
            search.end(trial, failed=False, trained_out=False)
        return configs

    first = proposals(4)
    np.random.seed(99)  # noqa: NPY002 - the same
    assert first == proposals(4)
    assert first != proposals(5)


def test_near_seeds_do_not_overlap() -> None:
    sets = [{str(start(Random(), seed=seed).propose(trial)) for trial in range(50)} for seed in (0, 1)]
    one = start(Random(), seed=0)
    assert len({str(one.propose(trial)) for trial in range(50)}) == 50
    assert not sets[0] & sets[1]


def test_random_proposes_nothing_twice_and_ends_with_the_space() -> None:
    search = start(Random(), SMALL)
    configs = [search.propose(trial) for trial in range(SMALL.size)]
    assert sorted(map(str, configs)) == sorted(map(str, SMALL.grid()))
    assert search.propose(SMALL.size) is None
    assert Random().limit(SMALL) == 6
    assert Random().limit(SPACE) is None


def test_grid_proposes_the_grid_and_refuses_a_continuum() -> None:
    search = start(Grid(), SMALL)
    assert [search.propose(trial) for trial in range(7)] == [*SMALL.grid(), None]
    (problem, other) = Grid().space_problems(SPACE)
    assert "rate" in problem
    assert "step" in problem
    assert "momentum" in other


def test_points_come_first_also_in_a_conditional_space() -> None:
    points = [
        {"layers": 1, "units": [32], "optimizer": "sgd", "rate": 0.01, "momentum": 0.5},
        {"layers": 2, "units": [16, 64], "optimizer": "adam", "rate": 0.001},
    ]
    search = start(HyperOpt(points=points))
    assert [search.propose(trial) for trial in range(2)] == points
    assert SPACE.contains(search.propose(2))


def test_points_outside_the_space_are_reported_with_the_reason() -> None:
    searcher = HyperOpt(points=[{"layers": 1, "units": [32], "optimizer": "adam", "rate": 0.01, "momentum": 0.5}])
    (problem,) = searcher.space_problems(SPACE)
    assert problem.startswith("points[0]: ")
    assert "momentum" in problem


def test_tpe_finds_the_good_region() -> None:
    def share_of_good(searcher: Searcher) -> float:
        search = start(searcher)
        good = []
        for trial in range(80):
            config = search.propose(trial)
            loss = abs(math.log10(config["rate"]) + 2) + (config["optimizer"] == "adam")
            search.report(trial, 9, loss)
            search.end(trial, failed=False, trained_out=True)
            good.append(loss < 0.5)
        return float(np.mean(good[40:]))

    assert share_of_good(HyperOpt()) > 1.5 * share_of_good(Random())


def test_a_space_without_a_choice_has_one_proposal() -> None:
    space = SearchSpace(a=Choice("only"))
    assert start(HyperOpt(), space).propose(0) == {"a": "only"}
    assert HyperOpt().limit(space) == 1


def test_two_workers_get_different_proposals_although_nothing_new_is_known() -> None:
    search = start(HyperOpt())
    same = 0
    for pair in range(0, 60, 2):
        one, other = search.propose(pair), search.propose(pair + 1)
        same += pair > 12 and one["units"] == other["units"]
        for trial, config in ((pair, one), (pair + 1, other)):
            search.report(trial, 9, abs(math.log10(config["rate"]) + 2) + 0.1 * config["layers"])
            search.end(trial, failed=False, trained_out=True)
    assert same <= 8  # of 23; were the pending trial not counted, all of them


@pytest.mark.parametrize("searcher", [Random(), HyperOpt(startup_trials=5), Bayesian(), Foresight()])
@pytest.mark.parametrize(
    "space",
    [
        SMALL,
        SearchSpace(rate=Float(0.1, 0.7, step=0.1), units=Int(1, 3, step=2)),
        SearchSpace(n=Int(1, 4, log=True), kind=Choice("a", "b"), slope=Float(0.0, 1.0, step=0.25).when(kind="b")),
    ],
    ids=["categories", "steps", "conditions"],
)
def test_a_finite_space_is_tried_once_and_whole(searcher: Searcher, space: SearchSpace) -> None:
    search = start(searcher, space)
    configs = []
    while (config := search.propose(len(configs))) is not None:
        search.report(len(configs), 1, float(len(str(config))))
        search.end(len(configs), failed=False, trained_out=True)
        configs.append(str(config))
    assert sorted(configs) == sorted(map(str, space.grid()))
    assert searcher.limit(space) == len(configs)


@pytest.mark.parametrize("kind", [HyperOpt, Bayesian, Foresight])
def test_a_point_that_is_given_twice_is_tried_once(kind: type[Searcher]) -> None:
    space = SearchSpace(rate=Float(0.1, 0.7, step=0.1))
    search = start(kind(points=[{"rate": 0.3}, {"rate": 0.1 + 0.2}]), space)  # type: ignore[call-arg]
    assert search.propose(0) == {"rate": 0.3}
    assert search.propose(1)["rate"] != pytest.approx(0.3)
