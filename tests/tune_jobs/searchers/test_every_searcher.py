"""The rules that every searcher of ``SEARCHERS`` keeps; a new one is tested as soon as it is listed there."""

from __future__ import annotations

from pathlib import Path

import pytest

import tune_jobs
from search_spaces import Boolean, Choice, Int, SearchSpace
from search_spaces.space import Config
from tune_jobs.searchers import SEARCHERS, Search, Searcher

DOCS = Path(__file__).parents[3] / "docs"
SPACE = SearchSpace(layers=Int(1, 3), units=Choice(16, 32, 64), bias=Boolean())
TRIALS = 8

every_searcher = pytest.mark.parametrize("kind", SEARCHERS.values(), ids=SEARCHERS)


def start(kind: type[Searcher]) -> Search:
    assert kind().space_problems(SPACE) == []
    return kind().start(SPACE, seed=3, rungs=(1, 3), max_epochs=9)


def tell(search: Search, trial: int, config: Config) -> None:
    """Report a trial that was trained for two epochs, and end it."""
    loss = abs(config["units"] - 32) + config["layers"] + config["bias"]
    search.report(trial, 1, loss + 1)
    search.report(trial, 2, loss)
    search.end(trial, failed=trial == 2, trained_out=trial % 2 == 0)


def proposals(search: Search, trials: range) -> list[Config]:
    """Return the configurations of trials that run one after another; no trial is left that one could wait for."""
    configs = []
    for trial in trials:
        config = search.propose(trial)
        if config is None:
            break
        assert isinstance(config, dict)
        configs.append(config)
        tell(search, trial, config)
    return configs


@every_searcher
def test_it_is_public_and_explained(kind: type[Searcher]) -> None:
    assert getattr(tune_jobs, kind.__name__) is kind
    assert kind.__name__ in tune_jobs.__all__
    assert f"`{kind.__name__}(" in (DOCS / "search.md").read_text(encoding="utf-8")


@every_searcher
def test_json_makes_the_same_declaration_again(kind: type[Searcher]) -> None:
    written = kind().to_json()
    assert SEARCHERS[written.pop("kind")](**written) == kind()


@every_searcher
def test_its_proposals_are_configurations_of_the_space(kind: type[Searcher]) -> None:
    configs = proposals(start(kind), range(TRIALS))
    assert configs
    assert all(SPACE.contains(config) for config in configs)


@every_searcher
@pytest.mark.parametrize("cut", [0, 1, 3, TRIALS - 1])
def test_a_resumed_search_proposes_what_it_would_have_proposed(kind: type[Searcher], cut: int) -> None:
    if kind.REASKED:
        pytest.skip("it is asked again: tests of tune_jobs.testing show how")
    whole = proposals(start(kind), range(TRIALS))
    resumed = start(kind)
    for trial, config in enumerate(whole[:cut]):
        resumed.remember(trial, config)
    for trial, config in enumerate(whole[:cut]):
        tell(resumed, trial, config)
    assert proposals(resumed, range(cut, TRIALS)) == whole[cut:]
