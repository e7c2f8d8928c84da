"""A searcher as the search_alg of Ray's Tuner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import Choice, Float, Int, SearchSpace
from trainables.settings import INACTIVE, unwrap
from tune_jobs import ASHA, Bayesian, Grid, HyperOpt, Random, RequestError
from tune_jobs.searchers import Searcher

SPACE = SearchSpace(
    optimizer=Choice("adam", "sgd"),
    momentum=Float(0.0, 0.9).when(optimizer="sgd"),
    rate=Float(1e-4, 1e-1, log=True),
)


def search_of(searcher: Searcher, space: SearchSpace = SPACE) -> Any:
    search = searcher.for_ray(space, scheduler=ASHA(), max_epochs=9, seed=3)
    assert search.set_search_properties("val_loss", "min", space.for_ray())
    return search


def train(search: Any, first: int, count: int) -> list[dict[str, Any]]:
    """Train trials for two epochs each, in the order of their names."""
    configs = []
    for number in range(first, first + count):
        config = search.suggest(f"trial {number}")
        configs.append(config)
        loss = abs(config["rate"] - 0.01) if number % 4 else float("nan")
        search.on_trial_result(f"trial {number}", {"training_iteration": 1, "val_loss": loss, "loss": 1.0})
        search.on_trial_complete(f"trial {number}", {"training_iteration": 2, "val_loss": loss / 2, "loss": 1.0})
    return configs


@pytest.mark.parametrize("searcher", [HyperOpt(startup_trials=4), Random(), Bayesian()])
def test_its_proposals_are_configurations_and_say_what_is_inactive(searcher: Searcher) -> None:
    configs = train(search_of(searcher), 0, 12)
    assert all(SPACE.validate(unwrap(config)[0]) == [] for config in configs)
    assert all(set(config) >= set(SPACE.parameters) for config in configs)
    assert any(config["momentum"] == INACTIVE for config in configs)


@settings(max_examples=10)
@given(cut=st.integers(0, 9))
def test_a_restored_search_goes_on_as_if_nothing_had_happened(tmp_path_factory: Any, cut: int) -> None:
    whole = train(search_of(HyperOpt(startup_trials=3)), 0, 10)
    search = search_of(HyperOpt(startup_trials=3))
    before = train(search, 0, cut)
    folder = Path(tmp_path_factory.mktemp("cut"))
    search.save_to_dir(str(folder), "one")
    again = search_of(HyperOpt(startup_trials=3))
    again.restore_from_dir(str(folder))
    assert before + train(again, cut, 10 - cut) == whole


def test_a_trial_in_flight_survives_a_restore(tmp_path: Path) -> None:
    search = search_of(Random())
    search.suggest("a")
    search.save(str(tmp_path / "state"))
    again = search_of(Random())
    again.restore(str(tmp_path / "state"))
    again.on_trial_complete("a", {"training_iteration": 9, "val_loss": 1.0}, error=False)
    assert again.suggest("b") == train(search_of(Random()), 0, 2)[1]


def test_an_exhausted_space_ends_the_search() -> None:
    search = search_of(Grid(), SearchSpace(rate=Choice(0.1, 0.2)))
    train(search, 0, 2)
    assert search.suggest("one more") == "FINISHED"


def test_a_tune_config_without_an_objective_is_refused() -> None:
    search = Random().for_ray(SPACE)
    with pytest.raises(RequestError, match="metric=None"):
        search.set_search_properties(None, None, {})


def test_a_space_that_cannot_be_searched_is_refused() -> None:
    with pytest.raises(RequestError, match="rate"):
        Grid().for_ray(SPACE)


def test_whole_numbers_stay_whole() -> None:
    config = search_of(HyperOpt(), SearchSpace(rate=Int(1, 9))).suggest("a")
    assert isinstance(config["rate"], int)
