"""The coordinator decides a run: simulated workers, on a clock of their own, report to it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Choice, SearchSpace
from tests.support.examples import with_examples
from tests.support.fakes import MemoryEventLog, experiment
from tests.support.simulation import Simulation
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.results import EpochReported, RunEnded, Status, TrialEnded, fold
from tune_jobs.schedulers import ASHA, NoScheduler
from tune_jobs.schedulers.asha import bracket_of
from tune_jobs.searchers import Grid, HyperOpt, Random


def test_every_trial_ends_once_and_the_journal_tells_why() -> None:
    simulation = Simulation(experiment(trials=20, searcher=Random())).run()
    ends = [event for event in simulation.log.events if isinstance(event, TrialEnded)]
    assert sorted(event.trial for event in ends) == list(range(20))
    assert {event.status for event in ends} == {Status.COMPLETED, Status.STOPPED}
    assert simulation.history.reason == "all trials"
    assert isinstance(simulation.log.events[-1], RunEnded)


def test_a_completed_trial_had_all_epochs_and_a_stopped_one_was_told_why() -> None:
    for trial in Simulation(experiment(trials=20, searcher=Random())).run().history.trials.values():
        if trial.status is Status.COMPLETED:
            assert (len(trial.epochs), trial.reason) == (9, "all 9 epochs")
        elif len(trial.epochs) in (1, 3):
            assert trial.reason.startswith(
                (f"rung {len(trial.epochs)}: place ", "epoch 3: worse than the best 1/3 of ")
            )
        else:
            assert trial.reason.startswith(f"epoch {len(trial.epochs)}: worse than the best 1/3 of ")


def test_without_a_scheduler_all_epochs_are_trained() -> None:
    history = Simulation(experiment(trials=4, scheduler=NoScheduler(), searcher=Random())).run().history
    assert [len(trial.epochs) for trial in history.trials.values()] == [9] * 4


def test_the_best_trials_go_on() -> None:
    history = Simulation(experiment(trials=40, searcher=Random())).run().history
    by_x = sorted(history.trials.values(), key=lambda trial: trial.config["x"])
    assert sum(len(trial.epochs) for trial in by_x[-10:]) > 2 * sum(len(trial.epochs) for trial in by_x[:10])


@pytest.mark.parametrize("searcher", [Random(), HyperOpt()])
def test_one_worker_gives_the_same_configurations_for_the_same_seed(searcher: Any) -> None:
    def configs(seed: int) -> list[dict[str, Any]]:
        declared = experiment(trials=15, searcher=searcher, seed=seed)
        return [trial.config for trial in Simulation(declared, workers=1).run().history.trials.values()]

    assert configs(1) == configs(1)
    assert configs(1) != configs(2)


def test_random_proposals_do_not_depend_on_the_number_of_workers() -> None:
    runs = [Simulation(experiment(trials=9, searcher=Random()), workers=n).run().history for n in (1, 4)]
    one, four = ([trial.config for trial in history.trials.values()] for history in runs)
    assert one == four


def test_a_nan_objective_ends_the_trial_as_diverged() -> None:
    class Diverging(Simulation):
        def value(self, trial: int, epoch: int, config: dict[str, Any]) -> float:
            return math.nan if trial == 1 and epoch == 2 else super().value(trial, epoch, config)

    simulation = Diverging(experiment(trials=4, searcher=Random(), scheduler=NoScheduler())).run()
    trial = simulation.history.trials[1]
    assert trial.status is Status.DIVERGED
    assert trial.reason == "val_accuracy is nan at epoch 2"
    assert math.isfinite(trial.best(simulation.experiment.objective).metrics["val_accuracy"])


def test_a_trial_that_raises_is_a_failed_trial_and_the_run_goes_on() -> None:
    class Raising(Simulation):
        def result(self, trial: int, epoch: int, config: dict[str, Any]) -> dict[str, Any]:
            if trial == 1:
                return {"done": True, "error": "ValueError: no", "traceback": "Traceback …\nValueError: no"}
            return super().result(trial, epoch, config)

    simulation = Raising(experiment(trials=4, searcher=Random())).run()
    history = simulation.history
    assert (history.trials[1].status, history.trials[1].error) == (Status.FAILED, "ValueError: no")
    assert simulation.log.tracebacks == {1: "Traceback …\nValueError: no"}
    assert all(history.trials[n].status is not Status.FAILED for n in (0, 2, 3))


def test_a_mistake_in_the_trainable_ends_the_run_at_the_first_trial() -> None:
    class Mistaken(Simulation):
        def result(self, trial: int, epoch: int, config: dict[str, Any]) -> dict[str, Any]:
            return {"done": True, "mistake": "The model is not compiled."}

    simulation = Mistaken(experiment(trials=10)).run()
    assert simulation.coordinator.mistake == "The model is not compiled."
    assert not any(isinstance(event, EpochReported) for event in simulation.log.events)


def test_a_mistake_of_a_later_trial_is_that_trial_s_failure() -> None:
    class Mistaken(Simulation):
        def result(self, trial: int, epoch: int, config: dict[str, Any]) -> dict[str, Any]:
            if trial == 3:
                return {"done": True, "mistake": "The model is not compiled."}
            return super().result(trial, epoch, config)

    simulation = Mistaken(experiment(trials=5, searcher=Random())).run()
    assert simulation.coordinator.mistake is None
    assert simulation.history.trials[3].error == "The model is not compiled."


@given(total=st.integers(1, 60), workers=st.integers(1, 5))
@with_examples(25)
def test_total_epochs_are_never_exceeded(total: int, workers: int) -> None:
    simulation = Simulation(experiment(trials=None, total_epochs=total, searcher=Random()), workers=workers).run()
    assert sum(isinstance(event, EpochReported) for event in simulation.log.events) == total
    assert simulation.history.reason == "total epochs"
    assert simulation.most_at_once == workers


def test_the_time_budget_ends_the_run_and_interrupts_what_runs() -> None:
    simulation = Simulation(experiment(trials=None, time_budget_s=10.0, searcher=Random())).run()
    assert simulation.history.reason == "time budget"
    assert 10 <= simulation.now_s < 14
    assert Status.INTERRUPTED in {trial.status for trial in simulation.history.trials.values()}


def test_an_interruption_ends_the_run() -> None:
    class Impatient(Simulation):
        def value(self, trial: int, epoch: int, config: dict[str, Any]) -> float:
            if trial == 2:
                self.coordinator.interrupt()
            return super().value(trial, epoch, config)

    simulation = Impatient(experiment(trials=50, searcher=Random())).run()
    assert simulation.history.reason == "interrupted"
    assert len(simulation.history.trials) < 6


def test_a_grid_ends_by_itself() -> None:
    space = SearchSpace(x=Choice(0.1, 0.2, 0.3), y=Choice("a", "b"))
    history = Simulation(experiment(space=space, searcher=Grid(), trials=None)).run().history
    assert [trial.config for trial in history.trials.values()] == list(space.grid())


def test_a_repeated_epoch_is_reported_once() -> None:
    log = MemoryEventLog()
    declared = experiment(searcher=Random(), scheduler=ASHA())
    simulation = Simulation(declared)
    coordinator = Coordinator(declared, log)
    trial, config = coordinator.propose() or (0, {})
    coordinator.start(trial, "here")
    for epoch in (1, 2, 2, 3, 3, 4):
        assert not coordinator.report(trial, simulation.result(trial, epoch, config))
    assert [event.epoch for event in log.events if isinstance(event, EpochReported)] == [1, 2, 3, 4]


def test_a_repeated_epoch_counts_once_at_its_rung() -> None:
    """Of five at a rung one goes on. If the repeated one counted twice, there would be six, and two would go on."""
    coordinator = Coordinator(experiment(trials=9, searcher=Random()), MemoryEventLog())
    values = [0.1, 0.9, 0.3, 0.2, 0.6]
    ends = []
    for value in values:
        trial, _ = coordinator.propose() or (0, {})
        coordinator.start(trial, "here")
        result = {"epoch": 1, "metrics": {"val_accuracy": value}, "seconds": 1.0, "done": False}
        ends.append(coordinator.report(trial, result))
        if trial == 0:
            assert not coordinator.report(trial, result)
    assert ends == [False, False, True, True, True]


def test_an_endless_searcher_ends_with_the_plan() -> None:
    """A space of one configuration, HyperOpt, and no number of trials: one trial."""
    space = SearchSpace(a=Choice("only"))
    coordinator = Coordinator(experiment(space=space, searcher=HyperOpt(), trials=None), MemoryEventLog())
    assert coordinator.propose() == (0, {"a": "only"})
    assert coordinator.propose() is None


def test_nan_weights_with_a_finite_accuracy_are_a_diverged_trial() -> None:
    log = MemoryEventLog()
    coordinator = Coordinator(experiment(), log)
    trial, _ = coordinator.propose() or (0, {})
    coordinator.start(trial, "here")
    metrics = {"val_accuracy": 0.1, "loss": math.nan}
    assert coordinator.report(trial, {"epoch": 1, "metrics": metrics, "seconds": 1.0, "done": False})
    assert fold(log.events).trials[trial].reason == "loss is nan at epoch 1"


def test_brackets_do_not_follow_the_random_configurations() -> None:
    declared = experiment(space=SearchSpace(x=Choice(0, 1)), scheduler=ASHA(brackets=2), searcher=Random(), trials=2)
    coordinators = [Coordinator(declared.override(seed=seed), MemoryEventLog()) for seed in range(60)]
    values = [(coordinator.propose() or (0, {}))[1]["x"] for coordinator in coordinators]
    brackets = [bracket_of(0, seed, brackets=2) for seed in range(60)]
    assert 10 < sum(value == bracket for value, bracket in zip(values, brackets, strict=True)) < 50


def test_a_missing_objective_is_a_failed_trial() -> None:
    log = MemoryEventLog()
    coordinator = Coordinator(experiment(searcher=Random()), log)
    trial, _ = coordinator.propose() or (0, {})
    coordinator.start(trial, "here")
    good = {"epoch": 1, "metrics": {"val_accuracy": 0.5}, "seconds": 1.0, "done": False}
    assert not coordinator.report(trial, good)
    assert coordinator.report(trial, {**good, "epoch": 2, "metrics": {"accuracy": 0.5}})
    ended = fold(log.events).trials[trial]
    assert (ended.status, len(ended.epochs)) == (Status.FAILED, 1)
    assert "val_accuracy" in ended.error
