"""Ray's own controller with this project's trials: the tasks of workers, and the cost of a report, counted."""

from __future__ import annotations

import gc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ray.exceptions import RayActorError
from ray.tune.experiment import Trial

from tests.support.counting import calls_of
from tests.support.fakes import experiment
from tests.support.simulated_ray import SimulatedRun, Workers
from trainables.settings import REPORTED_KEY, TRIAL_KEY
from tune_jobs.engine.decisions.failures import Failure, FailureCause
from tune_jobs.schedulers import NoScheduler, PromotionASHA
from tune_jobs.searchers import Random

EPOCHS = 5


@pytest.fixture
def run_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def begin(trials: int, workers: Workers, **fields: Any) -> SimulatedRun:
        fields = {"scheduler": NoScheduler(), **fields}
        declared = experiment(trials=trials, max_epochs=EPOCHS, searcher=Random(), **fields)
        return SimulatedRun(declared, tmp_path, workers, monkeypatch)

    return begin


def whole(run: SimulatedRun) -> None:
    for _ in range(10_000):
        if run.controller.is_finished():
            return
        run.step()
    raise AssertionError("it does not end")


def test_a_worker_is_asked_for_nothing_but_epochs_and_the_next_trial(run_of: Any) -> None:
    run = run_of(20, Workers(EPOCHS))
    whole(run)
    assert Counter(run.workers.asked) == {"start": 2, "reset": 18, "train": 100}
    assert [len(run.events(event)) for event in ("trial_started", "epoch", "trial_ended")] == [20, 100, 20]
    assert run.controller.get_trials() == []


def test_nothing_is_written(run_of: Any, tmp_path: Path) -> None:
    run = run_of(5, Workers(EPOCHS, dies=lambda config: config[TRIAL_KEY] == 2 and config[REPORTED_KEY] == 0))
    before = sorted(tmp_path.rglob("*"))
    whole(run)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_trial_whose_worker_died_is_given_to_another_and_the_death_is_told(run_of: Any) -> None:
    deaths = iter((True, False))
    run = run_of(4, Workers(EPOCHS, dies=lambda config: config[TRIAL_KEY] == 1 and next(deaths, False)))
    whole(run)
    (note,) = run.events("note")
    assert note.trial == 1
    assert "The worker was killed." in note.text
    assert [event.trial for event in run.events("trial_started")].count(1) == 2
    assert {event.trial: event.status for event in run.events("trial_ended")} == dict.fromkeys(range(4), "completed")


def test_a_paused_trial_frees_its_worker_and_a_promoted_one_goes_on(run_of: Any) -> None:
    run = run_of(9, Workers(EPOCHS), scheduler=PromotionASHA())
    whole(run)
    paused, promoted = run.events("trial_paused"), run.events("trial_promoted")
    assert [event.trial for event in promoted][:1] == [0]  # all are equally good
    assert len(run.events("trial_started")) == 9 + len(promoted)
    assert Counter(run.workers.asked)["start"] == 2
    statuses = {event.trial: event.status for event in run.events("trial_ended")}
    assert sorted(statuses) == list(range(9))
    assert statuses[0] == "completed"
    assert {statuses[event.trial] for event in paused} == {"completed", "stopped"}
    reported = [(event.trial, event.epoch) for event in run.events("epoch")]
    assert len(reported) == len(set(reported)) == 9 + 2 * len({event.trial for event in promoted}) + 2
    assert run.controller.get_trials() == []


def test_the_workers_of_a_trial_die_as_often_as_was_allowed(run_of: Any) -> None:
    run = run_of(3, Workers(EPOCHS, dies=lambda config: config[TRIAL_KEY] == 1), max_retries=2)
    whole(run)
    assert [event.trial for event in run.events("trial_started")].count(1) == 3
    (failed,) = [event for event in run.events("trial_ended") if event.error]
    assert (failed.trial, failed.reason) == (1, "its worker died")
    assert "The worker was killed." in failed.error


def test_a_report_costs_the_same_at_the_end_as_at_the_beginning_and_not_much(run_of: Any) -> None:
    run = run_of(400, Workers(EPOCHS))
    for _ in range(60):
        run.step()

    def calls() -> float:
        """The calls of a report, with its share of a trial's beginning and end."""
        before = len(run.events("epoch"))
        counted = sum(calls_of(run.step) for _ in range(120))
        return counted / (len(run.events("epoch")) - before)

    early = calls()
    for _ in range(600):
        run.step()
    assert calls() < 1.02 * early
    assert early < 640  # it is 580: whoever adds to it knows what it buys


def test_trials_that_have_ended_leave_no_objects(run_of: Any) -> None:
    run = run_of(300, Workers(EPOCHS))

    def objects() -> int:
        gc.collect()
        return sum(isinstance(item, Trial) for item in gc.get_objects())

    for _ in range(200):
        run.step()
    early = objects()
    for _ in range(1000):
        run.step()
    assert objects() <= early + 1
    assert early <= 5


def test_whatever_killed_a_worker_ray_retries_nothing_by_itself(run_of: Any) -> None:
    run = run_of(1, Workers(EPOCHS))
    run.step()
    (trial,) = run.controller.get_trials()
    preempted = RayActorError(error_msg="The node was taken away.", preempted=True)
    trial.handle_error(preempted)
    assert not trial.should_recover()
    assert trial.death == Failure(FailureCause.PREEMPTED, "The node was taken away.")
