"""What is wrong with objectives and constraints is told at once, before anything starts."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import Choice, Float, Int, InvalidDeclaration, SearchSpace
from tests.support.fakes import experiment
from tune_jobs import NoScheduler, Objective, PopulationBased, Random
from tune_jobs.base.objective import ConstrainedObjective

SPACE = SearchSpace(
    layers=Int(1, 3), units=Choice(16, 32, 64).per("layers"), rate=Float(0.1, 1.0), activation=Choice("relu", "tanh")
)
ACCURACY, PARAMETERS = Objective("val_accuracy", "max"), Objective("parameters", "min")


def problems(**fields: Any) -> list[str]:
    with pytest.raises(InvalidDeclaration) as error:
        experiment(space=SPACE, **fields)
    return list(error.value.problems)


@pytest.mark.parametrize(
    ("constraints", "told"),
    [
        (["parameters == 5"], "'parameters == 5' must be a comparison"),
        (["parameters <= a lot"], "'parameters <= a lot' must be a comparison"),
        (["paramters <= 5"], "`paramters` is neither a parameter nor measured: you may have meant `parameters`."),
        (["sum(unit) <= 5"], "you may have meant `units`"),
        (["units_7 <= 5"], "you may have meant `units"),
        (["units <= 5"], "of a list take sum(…)"),
        (["activation <= 5"], "'activation <= 5' has no value in configurations such as"),
        (["sum(units) <= parameters"], "names units of the space beside parameters"),
        (["val_loss < 1", "val_loss<1"], "stands there twice"),
        (["parameters <= 10", "parameters >= 100"], "contradict each other: nothing keeps both."),
        (["parameters < 10", "10 <= parameters"], "contradict each other"),
        (["val_accuracy <= 0.5"], "'val_accuracy <= 0.5' contradicts Objective('val_accuracy', 'max')"),
        ("parameters <= 5", "must be a list, such as ['parameters <= 1e5']"),
        (None, "must be a list"),
    ],
)
def test_what_is_wrong_with_constraints_is_told(constraints: Any, told: str) -> None:
    (problem,) = problems(constraints=constraints)
    assert problem.startswith("constraints: ")
    assert told in problem


@pytest.mark.parametrize(
    ("objectives", "told"),
    [
        ([ACCURACY, ACCURACY], "`val_accuracy` stands there twice."),
        ([PARAMETERS, ACCURACY], "The first is `parameters`, which does not change while a trial is trained"),
        ([ACCURACY, Objective("rate", "min")], "`rate` is a parameter of the space"),
        ([ACCURACY, Objective("paramaters", "min")], "you may have meant `parameters`"),
        ([ACCURACY, "parameters"], "must be a list of Objective(…)"),
        (ACCURACY, "must be a list of Objective(…)"),
    ],
)
def test_what_is_wrong_with_objectives_is_told(objectives: Any, told: str) -> None:
    found = problems(objective=None, objectives=objectives)
    assert any(problem.startswith("objectives: ") and told in problem for problem in found)


def test_all_mistakes_are_told_at_once() -> None:
    found = problems(
        objectives=[ACCURACY, ACCURACY], constraints=["parameters ! 5", "val_accuracy < 0.1", "sum(unit) < 9"], trials=0
    )
    assert [problem.split(":")[0] for problem in found] == [
        "objectives",
        *["constraints"] * 3,
        "The value of `trials` is 0, but must be a whole number >= 1.",
    ]


def test_the_objective_beside_several_is_their_first() -> None:
    assert experiment(objective=None, objectives=[ACCURACY, PARAMETERS]).objective == ACCURACY
    (problem,) = problems(objective=Objective("val_loss", "min"), objectives=[ACCURACY, PARAMETERS])
    assert "leave `objective` out" in problem


def test_a_scheduler_that_changes_configurations_cannot_keep_constraints_on_them() -> None:
    population = {"searcher": Random(), "scheduler": PopulationBased(parameters=("rate",))}
    (problem,) = problems(constraints=["rate < 0.5"], **population)
    assert "the scheduler changes configurations while trials are trained" in problem
    assert experiment(space=SPACE, constraints=["parameters < 1e5"], **population).goal.constraints


def test_constraints_are_divided_by_what_they_are_about() -> None:
    declared = experiment(
        space=SPACE,
        scheduler=NoScheduler(),
        constraints=["sum(units) < 100", "units_0 > 16", "parameters <= 1e5", "val_loss < inference_ms"],
    )
    assert [constraint.text for constraint in declared.config_constraints] == ["sum(units) < 100", "units_0 > 16"]
    assert isinstance(declared.goal, ConstrainedObjective)
    assert declared.needed_metrics == ("parameters", "val_loss", "inference_ms")
    assert declared.measures == ("parameters", "inference_ms")


def test_one_objective_without_constraints_is_what_it_was() -> None:
    declared = experiment()
    assert declared.goal is declared.objective
    assert declared.needed_metrics == declared.measures == declared.config_constraints == ()
