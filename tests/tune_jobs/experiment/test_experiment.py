"""An experiment is checked whole at birth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from search_spaces import Choice, Float, Int, InvalidDeclaration, SearchSpace
from search_spaces.checked import deferred_checks
from tests.support.fakes import SPACE, NeverTrained, experiment
from trainables import KerasTrainable
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.fields import FIELDS
from tune_jobs.experiment.overrides import Overrides
from tune_jobs.experiment.resources import Resources
from tune_jobs.schedulers import ASHA, NoScheduler
from tune_jobs.searchers import Foresight, Grid, HyperOpt, Random, Sweep, automatic_searcher


def test_it_is_frozen_and_overriding_checks_it_again() -> None:
    declared = experiment()
    with pytest.raises(dataclasses.FrozenInstanceError):
        declared.trials = 7  # type: ignore[misc]
    assert declared.override(trials=7, seed=None).trials == 7
    with pytest.raises(InvalidDeclaration, match="`trials` is 0"):
        declared.override(trials=0)


def test_all_mistakes_are_listed_at_once() -> None:
    with deferred_checks():
        declared = Experiment(
            trainable=object,
            space=SearchSpace(a=Int(5, 1), b=Float(0.0, 1.0, log=True)),
            objective=Objective("", "best"),  # type: ignore[arg-type]
            searcher=HyperOpt(startup_trials=0),
            scheduler=ASHA,  # type: ignore[arg-type]
            resources=Resources(cpus=0, gpus=1.5),
            trials=0,
            max_epochs=-1,
            seed=-3,
            time_budget_s=float("nan"),
        )
    text = "\n".join(declared.problems())
    for word in (
        "trainable",
        "space: a: ",
        "space: b: ",
        "metric",
        "mode",
        "startup_trials",
        "ASHA()",
        "cpus",
        "gpus",
        "trials",
    ):
        assert word in text
    for value in ("`max_epochs` is -1", "`seed` is -3", "`time_budget_s` is nan", "`trials` is 0"):
        assert value in text
    assert len(declared.problems()) >= 12


def test_a_searcher_that_does_not_fit_the_space_is_told_and_not_asked_to_count() -> None:
    with deferred_checks():
        unknown = experiment(space=SearchSpace(rate=Int(1, 9)), searcher=Sweep([f"p{index}" for index in range(500)]))
        endless = experiment(space=SearchSpace(rate=Float(0.0, 1.0)), searcher=Sweep([("rate",)]), trials=None)
        no_number = experiment(trials=[[1]], max_epochs=4, scheduler=ASHA(grace_period=4))
    assert any("'p0' is not a parameter of the space" in problem for problem in unknown.problems())
    assert any(problem.startswith("searcher: ") for problem in endless.problems())
    text = "\n".join(no_number.problems())
    assert "`trials` is [[1]]" in text
    assert "no trial could ever be stopped" in text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"trainable": NeverTrained.standalone()}, "not an instance"),
        ({"trainable": KerasTrainable}, "does not define build_model"),
        ({"space": SearchSpace}, "must be a SearchSpace"),
        ({"searcher": HyperOpt}, r"call HyperOpt\(\)"),
        ({"searcher": Grid()}, "continuum"),
        ({"trials": None}, "no budget"),
        ({"trials": 2.5}, "`trials` is 2.5"),
        ({"trials": True}, "`trials` is True"),
        ({"max_epochs": 4, "scheduler": ASHA(grace_period=4)}, "no trial could ever be stopped"),
        ({"max_concurrent_trials": 0}, "`max_concurrent_trials` is 0"),
        ({"executions": 0}, "`executions` is 0, but must be a whole number >= 1"),
        ({"executions": 2.0}, "`executions` is 2.0"),
        ({"fraction": 0}, r"`fraction` is 0, but must be in \(0, 1\]: 0.2 uses a fifth"),
        ({"fraction": 20}, "`fraction` is 20"),
        ({"fraction": float("nan")}, "`fraction` is nan"),
        ({"fraction": True}, "`fraction` is True"),
        ({"checkpoint_every_s": 0}, "`checkpoint_every_s` is 0"),
        ({"keep": 0}, "`keep` is 0, but must be 'all', 'none'"),
        ({"keep": "best"}, "`keep` is 'best'"),
        ({"keep": True}, "`keep` is True"),
    ],
)
def test_each_mistake_says_what_to_do(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidDeclaration, match=sentence):
        experiment(**fields)


def test_a_dictionary_of_rays_domains_is_a_space() -> None:
    from ray import tune

    declared = experiment(space={"x": tune.uniform(0.0, 1.0), "n": tune.randint(1, 4), "k": 3})
    assert isinstance(declared.space, SearchSpace)
    assert set(declared.space.parameters) == {"x", "n", "k"}
    with pytest.raises(InvalidDeclaration, match="x"):
        experiment(space={"x": tune.randn(0, 1)})


def test_the_planned_trials_and_epochs() -> None:
    small = SearchSpace(a=Choice(1, 2, 3))
    assert experiment(trials=None, space=small, searcher=Grid()).planned_trials == 3
    assert experiment(trials=2, space=small, searcher=Grid()).planned_trials == 2
    assert experiment(trials=None, space=small, searcher=Random()).planned_trials == 3
    assert experiment(trials=None, total_epochs=30).planned_trials is None
    assert experiment(trials=4, max_epochs=10).planned_epochs == 40
    assert experiment(trials=4, max_epochs=10, total_epochs=30).planned_epochs == 30
    assert experiment(trials=None, time_budget_s=5).planned_epochs is None
    assert experiment(max_epochs=27).rungs == (1, 3, 9)
    assert experiment(scheduler=NoScheduler()).rungs == ()
    assert SPACE.size == float("inf")


class Evil:
    """An object that answers no question."""

    def __repr__(self) -> str:
        raise ValueError("no words")

    def __eq__(self, other: object) -> bool:
        raise ValueError("no equal")

    def __bool__(self) -> bool:
        raise ValueError("no truth")

    __hash__ = None  # type: ignore[assignment]


ODD = [Evil(), [Evil()], np.zeros(3), 10**5000, -(10**5000), float("nan"), "x" * 10**6]


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_no_value_of_any_field_is_too_odd_to_be_told(value: object) -> None:
    for name in FIELDS:
        with pytest.raises(InvalidDeclaration) as error:
            experiment(**{name: value})
        assert all(len(problem) < 500 for problem in error.value.problems), name


def test_a_sweep_is_counted_before_it_is_built() -> None:
    space = SearchSpace(a=Int(1, 1000), b=Int(1, 1000), c=Int(1, 1000))
    with pytest.raises(InvalidDeclaration) as error:
        experiment(space=space, searcher=Sweep([("a", "b", "c")]), trials=3)
    (problem,) = error.value.problems
    assert problem.startswith(
        "searcher: steps: The step ('a', 'b', 'c') compares up to 1,000,000,000 configurations, but"
    )


def test_the_automatic_searcher_is_that_of_an_experiment_that_names_none() -> None:
    named = experiment(searcher="auto")
    unnamed = Experiment(trainable=NeverTrained, space=SPACE, objective=named.objective, trials=5)
    assert named.searcher == unnamed.searcher == automatic_searcher()
    assert Overrides(searcher="auto").apply(experiment(searcher=Random())).searcher == automatic_searcher()
    kept = experiment(searcher=Foresight(candidates=50))
    assert Overrides(searcher="auto").apply(kept).searcher == Foresight(candidates=50)
    with pytest.raises(InvalidDeclaration, match="'best'"):
        experiment(searcher="best")
