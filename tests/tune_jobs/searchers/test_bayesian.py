"""Bayesian search: its proposals, and what it learns from."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from search_spaces import Boolean, Choice, Float, Int, InvalidDeclaration, SearchSpace
from tune_jobs.searchers import Bayesian, HyperOpt, Random, Searcher
from tune_jobs.searchers.gaussian_process import normal_scores
from tune_jobs.searchers.neighbours import neighbours

SPACE = SearchSpace(
    layers=Int(1, 2),
    units=Int(16, 64, step=16).per("layers"),
    optimizer=Choice("adam", "sgd"),
    rate=Float(1e-4, 1e-1, log=True),
    momentum=Float(0.0, 0.9).when(optimizer="sgd"),
)
SMALL = SearchSpace(a=Choice(None, 1, [2]), b=Boolean(), c=Int(1, 2).when(b=True))
LINE = SearchSpace(x=Float(0.0, 1.0))


def start(searcher: Searcher, space: SearchSpace = SPACE, seed: int = 0) -> Any:
    return searcher.start(space, seed=seed, rungs=(1, 3), max_epochs=9)


def loss_of(config: dict[str, Any]) -> float:
    momentum = abs(config["momentum"] - 0.6) if "momentum" in config else 0.7
    return abs(math.log10(config["rate"]) + 2) + momentum + 0.01 * abs(config["units"][0] - 48)


def end_trial(search: Any, trial: int, loss: float | None) -> None:
    if loss is not None:
        search.report(trial, 9, loss)
    search.end(trial, failed=loss is None, trained_out=loss is not None)


def search_after(searcher: Searcher, trials: int, seed: int = 0) -> tuple[Any, list[dict[str, Any]]]:
    search = start(searcher, seed=seed)
    configs = []
    for trial in range(trials):
        configs.append(search.propose(trial))
        end_trial(search, trial, loss_of(configs[-1]))
    return search, configs


def test_every_proposal_lies_in_the_space_and_none_comes_twice() -> None:
    search = start(Bayesian(candidates=20))
    configs = []
    for trial in range(14):
        configs.append(search.propose(trial))
        assert SPACE.validate(configs[-1]) == []
        end_trial(search, trial, None if trial % 7 == 0 else loss_of(configs[-1]))
    assert len(set(map(str, configs))) == 14


def test_the_same_seed_gives_the_same_proposals_whatever_the_global_state() -> None:
    np.random.seed(1)  # noqa: NPY002 - shows that it does not matter
    first = search_after(Bayesian(candidates=20), 8)[1]
    np.random.seed(2)  # noqa: NPY002 - the same
    assert search_after(Bayesian(candidates=20), 8)[1] == first
    assert search_after(Bayesian(candidates=20), 8, seed=1)[1] != first


def test_a_resumed_search_goes_on_as_if_it_had_not_been_interrupted() -> None:
    search, configs = search_after(Bayesian(candidates=20), 10)
    resumed = start(Bayesian(candidates=20))
    for trial, config in enumerate(configs):
        resumed.remember(trial, config)
    for trial, config in enumerate(configs):
        end_trial(resumed, trial, loss_of(config))
    assert [resumed.propose(trial) for trial in (10, 11)] == [search.propose(trial) for trial in (10, 11)]


def test_it_finds_better_configurations_than_random_search() -> None:
    def median_best(searcher: Searcher) -> float:
        return float(np.median([min(map(loss_of, search_after(searcher, 30, seed)[1])) for seed in range(3)]))

    assert median_best(Bayesian(candidates=20)) < 0.7 * median_best(Random())


def test_a_small_space_is_tried_whole_and_then_the_search_ends() -> None:
    search = start(Bayesian(startup_trials=2, candidates=3), SMALL)
    configs = []
    for trial in range(SMALL.size):
        configs.append(search.propose(trial))
        end_trial(search, trial, float(trial % 3))
    assert sorted(map(str, configs)) == sorted(map(str, SMALL.grid()))
    assert search.propose(SMALL.size) is None
    assert Bayesian().limit(SMALL) == SMALL.size == 9
    assert Bayesian().limit(SPACE) is None


def test_running_trials_are_accounted_for() -> None:
    """Nothing new is known, yet no two workers get nearly the same configuration."""
    search = start(Bayesian(candidates=100), LINE)
    for trial in range(8):
        end_trial(search, trial, abs(search.propose(trial)["x"] - 0.3))
    xs = sorted(search.propose(trial)["x"] for trial in (8, 9, 10))
    assert min(np.diff(xs)) > 1e-4


@pytest.mark.parametrize("best_at", [0.25, 0.5])
def test_it_learns_from_failures(best_at: float) -> None:
    """The upper half fails. Random search has half of its trials there; a few remain, in search of something better."""
    shares = []
    for seed in range(2):
        search = start(Bayesian(candidates=60), LINE, seed)
        xs = []
        for trial in range(30):
            xs.append(search.propose(trial)["x"])
            end_trial(search, trial, None if xs[-1] > 0.5 else abs(xs[-1] - best_at))
        shares.append(np.mean([x > 0.5 for x in xs[15:]]))
    assert np.mean(shares) < 0.35


def test_all_failures_and_all_equals_are_survived() -> None:
    for loss in (None, 1.0):
        search = start(Bayesian(startup_trials=1, candidates=20))
        for trial in range(5):
            end_trial(search, trial, loss)  # before it proposes: a trial of another space
            assert SPACE.contains(search.propose(trial))
            end_trial(search, trial, loss)


def test_warnings_of_the_optimiser_reach_nobody(recwarn: pytest.WarningsRecorder) -> None:
    warnings.simplefilter("always")
    search_after(Bayesian(startup_trials=1, candidates=20), 10)
    assert not [str(each.message) for each in recwarn if "onverge" in str(each.message) + each.category.__name__]


def test_points_come_first_and_count_as_tried() -> None:
    points = [{"a": 1, "b": False}, {"a": None, "b": True, "c": 2}]
    search = start(Bayesian(points=points, candidates=3), SMALL)
    assert [search.propose(trial) for trial in range(2)] == points
    others = [search.propose(trial) for trial in range(2, 10)]
    assert others[-1] is None
    assert not [config for config in others if config in points]


def test_mistakes_are_reported_all_at_once() -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        Bayesian(points=3, startup_trials=0, candidates=2.5)  # type: ignore[arg-type]
    assert [name for name in ("points", "startup_trials", "candidates") if f"`{name}`" in str(caught.value)] == [
        "points",
        "startup_trials",
        "candidates",
    ]
    (problem,) = Bayesian(points=[{"a": 7, "b": False}]).space_problems(SMALL)
    assert problem.startswith("points[0]: ")


def test_normal_scores_are_symmetric_and_ascend() -> None:
    scores = normal_scores(np.array([1.0, 2.0, 3.5, 3.5, 5.0]), 5)
    assert scores[0] == pytest.approx(-scores[4])
    assert scores[2] == scores[3]
    assert (np.diff(scores) >= 0).all()


def test_neighbours_lie_in_the_space_and_differ_in_one_choice() -> None:
    rng = np.random.default_rng(0)
    config = {"layers": 2, "units": [16, 64], "optimizer": "sgd", "rate": 1e-3, "momentum": 0.5}
    values = SPACE.flatten(config)
    changed = set()
    for near in neighbours(SPACE, config, 200, rng):
        assert SPACE.validate(near) == []
        others = SPACE.flatten(near)
        different = {label for label in values.keys() & others.keys() if values[label] != others[label]}
        assert len(different) <= 1
        changed |= different
    assert changed == values.keys()
    assert neighbours(SearchSpace(a=Choice("only")), {"a": "only"}, 3, rng) == []


def test_points_are_counted_before_they_are_checked() -> None:
    with pytest.raises(InvalidDeclaration, match=r"has 10,001 configurations, but must have at most 10,000"):
        Bayesian(points=[{"a": 1}] * 10_001)
    assert len(Bayesian(points=[{"wrong": 1}] * 5000).space_problems(SMALL)) == 50


@pytest.mark.parametrize("searcher", [Bayesian, HyperOpt])
def test_so_many_candidates_that_a_proposal_takes_minutes_are_refused(searcher: type[Searcher]) -> None:
    with pytest.raises(InvalidDeclaration, match=r"`candidates` is 1000000000000, but .* <= 100,000"):
        searcher(candidates=10**12)  # type: ignore[call-arg]
