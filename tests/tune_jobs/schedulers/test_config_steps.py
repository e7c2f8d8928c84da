"""A schedule of configurations that is known beforehand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from search_spaces import InvalidDeclaration
from tests.support.fakes import experiment
from tests.support.simulation import Simulation
from tune_jobs.schedulers import ConfigSteps
from tune_jobs.searchers import HyperOpt

STEPS = ((2, {"x": 0.5}), (5, {"x": 0.9}))


def test_a_trial_has_each_configuration_after_its_epochs() -> None:
    declared = experiment(trials=1, searcher=HyperOpt(points=[{"x": 0.1}]), scheduler=ConfigSteps(STEPS))
    history = Simulation(declared).run().history
    values = [epoch.metrics["val_accuracy"] for epoch in history.trials[0].epochs.values()]
    assert [round(value / (1 - 2.718281828 ** -(index + 1)), 2) for index, value in enumerate(values)] == [
        *[0.1] * 2,
        *[0.5] * 3,
        *[0.9] * 4,
    ]
    assert history.trials[0].config == {"x": 0.9}
    assert history.is_finished


def test_it_comes_back_from_json_with_its_steps() -> None:
    written = json.loads(json.dumps(ConfigSteps(STEPS).to_json()))
    assert written.pop("kind") == "steps"
    assert ConfigSteps(**written) == ConfigSteps(STEPS)


@pytest.mark.parametrize(
    "steps", [3, ((0, {}),), ((2, {}), (2, {})), ((3, {}), (2, {})), ((2,),), ((2, 5),), ((True, {}),)]
)
def test_bad_steps_are_named(steps: Any) -> None:
    with pytest.raises(InvalidDeclaration, match="`steps`"):
        ConfigSteps(steps)


def test_an_experiment_that_it_cannot_schedule_says_why() -> None:
    with pytest.raises(InvalidDeclaration, match=r"after epoch 2: x is 5, but must be"):
        experiment(scheduler=ConfigSteps(((2, {"x": 5}),)))
    with pytest.raises(InvalidDeclaration, match="has no steps"):
        experiment(scheduler=ConfigSteps())
