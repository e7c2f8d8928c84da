"""Searchers of Ray Tune as they are: those that work keep the contract, the others are refused by name."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from ray.tune.search import ConcurrencyLimiter, Repeater, Searcher
from ray.tune.search.basic_variant import BasicVariantGenerator
from ray.tune.search.hyperopt import HyperOptSearch
from ray.tune.search.optuna import OptunaSearch

from search_spaces import Boolean, Choice, Float, Int, SearchSpace
from tests.support.fakes import experiment
from tests.support.simulation import Simulation
from tune_jobs import RaySearcher
from tune_jobs.errors import RequestError
from tune_jobs.experiment.record import restore_experiment, write_record
from tune_jobs.testing import check_searcher

MIXED = SearchSpace(
    learning_rate=Float(1e-4, 1e-1, log=True),
    units=Int(2, 10, step=2),
    layers=Int(1, 8),
    momentum=Float(0.0, 1.0, step=0.25),
    activation=Choice("relu", "tanh", "gelu"),
)


def nevergrad() -> Any:
    ng = pytest.importorskip("nevergrad")
    from ray.tune.search.nevergrad import NevergradSearch

    return NevergradSearch(optimizer=ng.optimizers.OnePlusOne)


THEIRS = {
    "optuna": lambda: OptunaSearch(seed=0),
    "hyperopt": lambda: HyperOptSearch(random_state_seed=0, n_initial_points=4),
    "nevergrad": nevergrad,
    "limited": lambda: ConcurrencyLimiter(OptunaSearch(seed=0), max_concurrent=2),
}


@pytest.mark.parametrize("made", THEIRS.values(), ids=THEIRS)
def test_it_keeps_the_contract_with_errors_nan_and_resumption(made: Any) -> None:
    check_searcher(RaySearcher(made()))
    check_searcher(RaySearcher(made()), MIXED)


@pytest.mark.parametrize("made", THEIRS.values(), ids=THEIRS)
def test_steps_are_exact_and_values_are_of_python(made: Any) -> None:
    search = RaySearcher(made()).start(MIXED, seed=0, rungs=(), max_epochs=9)
    for trial in range(12):
        config = search.propose(trial)
        assert isinstance(config, dict)
        assert MIXED.contains(json.loads(json.dumps(config)))
        search.report(trial, 1, config["units"])
        search.end(trial, failed=trial % 4 == 1, trained_out=True)


def test_a_finite_space_is_tried_completely_and_nothing_twice() -> None:
    space = SearchSpace(units=Choice(16, 32, 64), bias=Boolean())
    search = RaySearcher(OptunaSearch(seed=0)).start(space, seed=0, rungs=(), max_epochs=9)
    configs = []
    while isinstance(config := search.propose(len(configs)), dict):
        search.report(len(configs), 1, 0.5)
        search.end(len(configs), failed=False, trained_out=True)
        configs.append(config)
    assert sorted(map(str, configs)) == sorted(map(str, space.grid()))


class Silent(Searcher):
    """Proposes two configurations, then nothing for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def set_search_properties(self, metric: Any, mode: Any, config: Any, **spec: Any) -> bool:
        return True

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        self.count += 1
        return {"x": self.count / 10} if self.count < 3 else None

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        pass


class Broken(Silent):
    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        raise AttributeError("gone")


class Other(Silent):
    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        return {"x": float(np.random.default_rng().random())}


def named(name: str) -> Any:
    return type(name, (Silent,), {})()


def test_a_searcher_that_returns_none_for_ever_ends_the_run_in_words() -> None:
    run = Simulation(experiment(searcher=RaySearcher(Silent()), trials=9)).run()
    (told,) = [note.text for note in run.history.notes]
    assert told == (
        "RaySearcher had nothing more to propose after 2 trials: the run ended before its budget was used (trials 9)."
    )


def test_it_is_said_that_steps_were_put_back() -> None:
    declared = RaySearcher(named("NevergradSearch"))
    assert declared.notes(MIXED) == [
        "NevergradSearch knows no steps. The steps of units, momentum are kept: it searches their indices."
    ]
    assert declared.notes(SearchSpace(x=Float(0.0, 1.0))) == []
    assert RaySearcher(OptunaSearch(seed=0)).notes(MIXED) == []


@pytest.mark.parametrize(
    ("searcher", "told"),
    [
        (named("BayesOptSearch"), "BayesOptSearch, but it knows neither logarithms nor categories"),
        (named("ZOOptSearch"), "use Optuna() or HyperOpt()"),
        (named("HEBOSearch"), "use Optuna('GPSampler') or Bayesian()"),
        (named("TuneBOHB"), "use HyperOpt() with ASHA()"),
        (named("AxSearch"), "pip install 'ax-platform>=1.2.4,<1.3'"),
        (ConcurrencyLimiter(named("ZOOptSearch"), 2), "ZOOptSearch"),
        (Repeater(OptunaSearch(seed=0)), "use the searcher in it, and `executions` of the experiment"),
        (OptunaSearch, "is the class OptunaSearch, but must be an object: call OptunaSearch()"),
        (BasicVariantGenerator(), "use Random() or Grid()"),
        ("optuna", "is 'optuna', but must be a `ray.tune.search.Searcher`"),
    ],
    ids=str,
)
def test_what_does_not_work_is_refused_with_what_to_take_instead(searcher: Any, told: str) -> None:
    with pytest.raises(ValueError, match="The value of `searcher`") as refused:
        RaySearcher(searcher)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("searcher", "told"),
    [
        (OptunaSearch(metric="loss", mode="min", space={"x": 1}, seed=0), "has a space, a metric or a mode of its own"),
        (OptunaSearch(), "OptunaSearch has no seed, so a resumed run could not go on: give it one, such as Optuna"),
        (Other(), "has no seed"),
        (Broken(), "Broken cannot search the space: AttributeError: gone"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_search_a_space_is_told_before_the_run(searcher: Any, told: str) -> None:
    with pytest.raises(ValueError, match="searcher: ") as refused:
        experiment(searcher=RaySearcher(searcher), space=SearchSpace(x=Float(0.0, 1.0)))
    assert told in str(refused.value)


def test_a_run_goes_on_with_a_searcher_of_the_same_class_only() -> None:
    ours = RaySearcher(OptunaSearch(seed=0))
    record = json.loads(json.dumps(write_record("r", experiment(searcher=ours), "e", None)))
    assert restore_experiment(experiment(searcher=ours), record).searcher is ours
    with pytest.raises(RequestError, match=r"begun with RaySearcher\(OptunaSearch"):
        restore_experiment(experiment(searcher=RaySearcher(HyperOptSearch(random_state_seed=0))), record)
    with pytest.raises(RequestError, match="it was begun with `ray`"):
        restore_experiment(experiment(), record)
