"""Trials that break a constraint before they are trained: no cost, no failure, never the best, and no run for ever."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import Choice, Float, Int, SearchSpace
from tests.support.fakes import experiment
from tests.support.simulation import Simulation
from tune_jobs import Foresight, Grid, HyperOpt, Objective, Optuna, PromotionASHA, Random, Sweep
from tune_jobs.engine.decisions import refusals
from tune_jobs.results import Ending, RunEnded, Status, TrialStarted, ranking
from tune_jobs.searchers import Searcher

SPACE = SearchSpace(x=Float(0.0, 1.0), units=Int(1, 100))


class Sized(Simulation):
    """Workers that build a model of a hundred parameters a unit, and refuse it if it breaks a constraint."""

    def result(self, trial: int, epoch: int, config: dict[str, Any]) -> dict[str, Any]:
        size = 100.0 * config["units"]
        limit = 3000 if "parameters <= 3000" in self.experiment.constraints else 1e9
        if size > limit:
            return {"done": True, "refused": f"parameters {size:,.0f} > {limit:,}"}
        report = super().result(trial, epoch, config)
        return {**report, "metrics": {**report["metrics"], "parameters": size, "val_loss": 1 - config["x"] / 2}}


def sized(**fields: Any) -> Sized:
    return Sized(experiment(**{"space": SPACE, "searcher": Random(), "trials": 20, **fields}))


@pytest.mark.parametrize("constraint", ["units <= 30", "parameters <= 3000"])
@pytest.mark.parametrize("searcher", [Random(), HyperOpt(), Foresight()], ids=lambda one: one.NAME)
def test_what_is_refused_costs_no_epoch_and_no_trial_of_the_budget(searcher: Searcher, constraint: str) -> None:
    run = sized(searcher=searcher, constraints=[constraint]).run()
    refused = [trial for trial in run.history.trials.values() if trial.status is Status.REFUSED]
    trained = [trial for trial in run.history.trials.values() if trial.epochs]
    assert len(trained) == 20
    assert all(trial.config["units"] <= 30 for trial in trained)
    assert refused
    assert not any(trial.epochs or trial.error for trial in refused)
    assert all(trial.reason and trial.reason.startswith("refused: ") for trial in refused)
    if constraint == "units <= 30":
        assert refused[0].reason == f"refused: units {refused[0].config['units']} > 30"
    assert [row.rank for row in ranking(run.history, run.experiment.goal)[20:]] == [None] * len(refused)


@pytest.mark.parametrize("searcher", [HyperOpt(), Foresight()], ids=lambda one: one.NAME)
def test_the_searcher_looks_elsewhere(searcher: Searcher) -> None:
    def share(searcher: Searcher) -> float:
        statuses = [
            trial.status
            for trial in sized(searcher=searcher, constraints=["units <= 30"], trials=30).run().history.trials.values()
        ]
        return statuses.count(Status.REFUSED) / len(statuses)

    assert share(searcher) < 0.7 * share(Random())


@pytest.mark.parametrize("constraint", ["units <= 30", "parameters <= 3000", "val_loss <= 0.8"])
def test_a_run_that_is_resumed_anywhere_tries_the_same(constraint: str) -> None:
    whole = sized(constraints=[constraint]).run()
    configs = {number: trial.config for number, trial in whole.history.trials.items()}
    for cut in range(1, len(whole.log.events), 7):
        resumed = sized(constraints=[constraint]).run(whole.log.events[:cut])
        assert {number: trial.config for number, trial in resumed.history.trials.items()} == configs
        assert {trial.status for trial in resumed.history.trials.values()} == {
            trial.status for trial in whole.history.trials.values()
        }


def test_a_searcher_with_a_state_of_its_own_hears_of_refused_trials_again() -> None:
    pytest.importorskip("optuna")
    fields = {"searcher": Optuna(), "constraints": ["units <= 30"], "trials": 8}
    whole = sized(**fields).run()
    cut = whole.log.events[: len(whole.log.events) // 2]
    resumed = sized(**fields).run(cut)
    assert {number: trial.config for number, trial in resumed.history.trials.items()} == {
        number: trial.config for number, trial in whole.history.trials.items()
    }
    assert resumed.history.notes == []


@pytest.mark.parametrize("constraint", ["units > 100", "parameters <= 3000"])
def test_a_space_in_which_all_is_refused_ends_the_run_in_words(
    constraint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MOST_IN_A_ROW", 25)
    run = sized(space=SearchSpace(x=Float(0.0, 1.0), units=Int(50, 100)), constraints=[constraint]).run()
    assert 25 <= len(run.history.trials) <= 26
    assert run.coordinator.failure is not None
    assert run.coordinator.failure.startswith("Nothing was trained: all 2")
    assert "Loosen the constraints or narrow the space" in run.coordinator.failure
    assert isinstance(run.log.events[-1], RunEnded)
    assert (run.log.events[-1].reason, run.log.events[-1].error) == (Ending.FAILED, run.coordinator.failure)


def test_a_finite_space_in_which_all_is_refused_ends_the_run_in_words() -> None:
    space = SearchSpace(x=Choice(0.5), units=Choice(1, 2, 3))
    run = sized(space=space, searcher=Grid(), constraints=["units > 3"]).run()
    assert run.coordinator.failure == (
        "Nothing was trained: all 3 configurations that were proposed broke a constraint, the last of them: units 3 <= "
        "3. Loosen the constraints or narrow the space, and begin another run."
    )


def test_a_run_that_meets_refused_ones_only_from_somewhere_on_ends_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MOST_IN_A_ROW", 10)
    space = SearchSpace(x=Choice(0.5), units=Int(1, 100))
    run = sized(space=space, searcher=Grid(), constraints=["units <= 5"], trials=50).run()
    assert run.coordinator.failure is None
    assert [trial.status is Status.REFUSED for trial in run.history.trials.values()] == [False] * 5 + [True] * 10
    (note,) = run.history.notes
    assert note.text == (
        "10 configurations in a row were refused, the last of them: units 15 > 5: the run tried no more."
    )


def test_an_exhausted_space_tells_of_the_refused_ones() -> None:
    space = SearchSpace(x=Choice(0.5), units=Int(1, 6))
    (note,) = sized(space=space, searcher=Grid(), constraints=["units <= 4"]).run().history.notes
    assert note.text == (
        "Grid had nothing more to propose after 4 trials: the run ended before its budget was used (trials 20). Beside "
        "them, 2 configurations broke a constraint."
    )


def test_paused_trials_and_sweeps_go_on_beside_refused_ones() -> None:
    run = sized(scheduler=PromotionASHA(), constraints=["units <= 30"]).run()
    assert len([trial for trial in run.history.trials.values() if trial.epochs]) == 20
    space = SearchSpace(x=Choice(0.2, 0.5), units=Choice(10, 20, 40))
    swept = sized(space=space, searcher=Sweep(), constraints=["units <= 30"]).run()
    assert [trial.config["units"] for trial in swept.history.trials.values() if not trial.epochs] == [40]


def test_the_scheduler_and_the_best_go_by_what_keeps_the_constraints() -> None:
    run = sized(constraints=["val_loss <= 0.8"], objective=Objective("val_accuracy", "min")).run()
    feasible = [row.best.metrics["val_loss"] <= 0.8 for row in ranking(run.history, run.experiment.goal) if row.best]
    assert feasible == sorted(feasible, reverse=True)
    assert set(feasible) == {True, False}
    whole = [trial for trial in run.history.trials.values() if trial.status is Status.COMPLETED]
    assert all(trial.config["x"] >= 0.39 for trial in whole[1:])


def test_a_metric_that_is_missing_fails_the_trial() -> None:
    run = Simulation(experiment(constraints=["val_loss <= 0.8"], trials=1)).run()
    assert run.history.trials[0].error == "Epoch 1 reported no val_loss."


def test_the_start_of_a_refused_trial_is_in_the_journal_once() -> None:
    run = sized(constraints=["units <= 30"]).run()
    started = [event.trial for event in run.log.events if isinstance(event, TrialStarted)]
    assert len(started) == len(set(started)) == len(run.history.trials)
