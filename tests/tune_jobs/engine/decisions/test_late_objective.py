"""An objective that has no value in some epochs, beside a loss that is finite."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytest

from tests.support.fakes import experiment
from tests.tune_jobs.engine.decisions.test_coordinator import Simulation
from tune_jobs.results import Status
from tune_jobs.results.ranking import ranking
from tune_jobs.schedulers import ASHA, NoScheduler, Schedule
from tune_jobs.searchers import HyperOpt, Random


class LateObjectives(Simulation):
    """Trial 0 has no value before epoch 3, trial 1 never has one, trial 2 has none at epochs 3 and 4."""

    WITHOUT_VALUE: ClassVar = {0: (1, 2), 1: range(1, 10), 2: (3, 4)}

    def result(self, trial: int, epoch: int, config: dict[str, Any]) -> dict[str, Any]:
        result = super().result(trial, epoch, config)
        value = math.nan if epoch in self.WITHOUT_VALUE.get(trial, ()) else result["metrics"]["val_accuracy"]
        return {**result, "metrics": {"loss": 0.5, "val_accuracy": value}}


def test_an_objective_without_a_value_beside_a_finite_loss_is_waited_for() -> None:
    simulation = LateObjectives(experiment(trials=4, searcher=Random(), scheduler=NoScheduler())).run()
    objective, trials = simulation.experiment.objective, simulation.history.trials
    assert {trial.status for trial in trials.values()} == {Status.COMPLETED}
    assert [trials[number].reason for number in range(3)] == [
        "all 9 epochs",
        "all 9 epochs, no finite val_accuracy",
        "all 9 epochs",
    ]
    assert [row.trial.trial for row in ranking(simulation.history, objective)][-1] == 1
    assert trials[1].best(objective) is None
    assert trials[0].best(objective).epoch == 9


@pytest.mark.parametrize("searcher", [Random(), HyperOpt()])
def test_a_scheduler_does_not_judge_a_trial_without_a_value(searcher: Any) -> None:
    simulation = LateObjectives(experiment(trials=12, searcher=searcher, scheduler=ASHA())).run()
    trials = simulation.history.trials
    assert len(trials[0].epochs) >= 3
    assert len(trials[1].epochs) == 9
    assert trials[1].status is Status.COMPLETED


def test_searcher_and_scheduler_hear_finite_losses_only() -> None:
    heard: list[float] = []

    class ListeningSchedule(Schedule):
        def report(self, trial: int, epoch: int, loss: float) -> None:
            heard.append(loss)

    class ListeningScheduler(NoScheduler):
        def start(self, max_epochs: int, seed: int) -> Any:
            return ListeningSchedule()

    LateObjectives(experiment(trials=4, searcher=Random(), scheduler=ListeningScheduler())).run()
    assert len(heard) == (8 - 2) + 0 + 8 + 8  # the last epoch ends a trial anyway
    assert all(map(math.isfinite, heard))
