"""Paused trials: they free their workers, go on from their checkpoints, and survive an interruption of the run."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Choice, SearchSpace
from tests.support.examples import with_examples
from tests.support.fakes import MemoryEventLog, experiment, worker_death
from tests.support.simulation import Simulation
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.retention import RetentionPolicy
from tune_jobs.results import (
    Ending,
    EpochReported,
    Event,
    Status,
    TrialEnded,
    TrialPaused,
    TrialPromoted,
    TrialStarted,
    fold,
)
from tune_jobs.schedulers import NoScheduler, PromotionASHA
from tune_jobs.searchers import HyperOpt, Random, Sweep

PROMOTION = PromotionASHA()


def declared(**fields: Any) -> Any:
    return experiment(**{"trials": 12, "searcher": Random(), "scheduler": PROMOTION, **fields})


def outcome(events: list[Event]) -> dict[int, Any]:
    return {
        number: (trial.config, trial.status, [epoch.metrics for epoch in trial.epochs.values()], trial.reason)
        for number, trial in fold(events).trials.items()
    }


def test_the_best_are_trained_on_and_the_others_stay_at_their_rungs() -> None:
    history = Simulation(declared(trials=30)).run().history
    by_x = sorted(history.trials.values(), key=lambda trial: -trial.config["x"])
    epochs = [len(trial.epochs) for trial in by_x]
    assert set(epochs) == {1, 3, 9}
    assert epochs[0] == 9
    assert all(count >= 3 for count in epochs[:8])
    assert all(count == 1 for count in epochs[-8:])
    assert {trial.status for trial in by_x} == {Status.COMPLETED, Status.STOPPED}
    assert all(trial.reason.endswith(", not promoted") for trial in by_x if trial.status is Status.STOPPED)


def test_a_promoted_trial_reports_what_one_that_never_paused_does() -> None:
    simulation = Simulation(declared()).run()
    whole = Simulation(declared(scheduler=NoScheduler())).run().history.trials
    promoted = {event.trial for event in simulation.log.events if isinstance(event, TrialPromoted)}
    assert promoted
    for number, trial in simulation.history.trials.items():
        assert [epoch.metrics for epoch in trial.epochs.values()] == [
            epoch.metrics for epoch in whole[number].epochs.values()
        ][: len(trial.epochs)]
    reported = [(e.trial, e.epoch) for e in simulation.log.events if isinstance(e, EpochReported)]
    assert len(reported) == len(set(reported))


def test_no_worker_waits_for_a_paused_trial() -> None:
    simulation = Simulation(declared(trials=20), workers=3).run()
    running: set[int] = set()
    started: set[int] = set()
    for event in simulation.log.events:
        if isinstance(event, TrialStarted):
            running.add(event.trial)
            started.add(event.trial)
        elif isinstance(event, EpochReported) and len(started) < 20:
            assert len(running) == 3
        elif isinstance(event, TrialPaused | TrialEnded):
            running.discard(event.trial)


@pytest.mark.parametrize("searcher", [Random(), HyperOpt(startup_trials=4)])
@given(cut=st.floats(0, 1))
@with_examples(15)
def test_a_run_that_was_cut_anywhere_ends_as_an_uninterrupted_one(searcher: Any, cut: float) -> None:
    whole = Simulation(declared(searcher=searcher), workers=1).run()
    events = whole.log.events[: 1 + int(cut * (len(whole.log.events) - 1))]
    resumed = Simulation(declared(searcher=searcher), workers=1).run(events)
    assert outcome(resumed.log.events) == outcome(whole.log.events)
    promotions = [(e.trial, e.reason) for e in resumed.log.events if isinstance(e, TrialPromoted)]
    assert promotions == [(e.trial, e.reason) for e in whole.log.events if isinstance(e, TrialPromoted)]


@given(cut=st.floats(0, 1), lost=st.data())
@with_examples(25)
def test_a_journal_that_lost_a_line_is_resumed(cut: float, lost: Any) -> None:
    events = Simulation(declared(), workers=2).run().log.events
    events = events[: 2 + int(cut * (len(events) - 2))]
    index = lost.draw(st.integers(1, len(events) - 1))
    if not isinstance(events[index], TrialStarted):  # without its start a trial's lines are refused
        del events[index]
    history = Simulation(declared(), workers=2).run(events).history
    assert history.reason == "all trials"
    assert len(history.trials) == 12
    assert all(trial.ended_s is not None for trial in history.trials.values())


def test_a_paused_trial_is_neither_lost_nor_finished() -> None:
    whole = Simulation(declared()).run().log.events
    pause = next(index for index, event in enumerate(whole) if isinstance(event, TrialPaused))
    history = fold(whole[: pause + 1])
    paused = history.trials[whole[pause].trial]
    assert (paused.status, paused.ended_s, paused.reason) == (Status.PAUSED, None, whole[pause].reason)
    coordinator = Coordinator(declared(), MemoryEventLog())
    coordinator.replay(whole[: pause + 1])
    proposals = [coordinator.propose() for _ in range(4)]
    assert paused.trial not in [number for number, _ in proposals]
    assert not coordinator.is_idle


def test_a_promotion_that_had_not_started_is_kept() -> None:
    whole = Simulation(declared(), workers=1).run().log.events
    index = next(index for index, event in enumerate(whole) if isinstance(event, TrialPromoted))
    coordinator = Coordinator(declared(), log := MemoryEventLog())
    coordinator.replay(whole[: index + 1])
    assert coordinator.propose()[0] == whole[index].trial
    assert log.events == []  # it was promoted already


def test_a_worker_that_dies_loses_no_promotion() -> None:
    coordinator = Coordinator(declared(max_retries=1), log := MemoryEventLog())
    coordinator.begin(cpus=1, gpus=0, max_concurrent_trials=1)
    for loss in (0.9, 0.8, 0.7):
        trial, _ = coordinator.propose()
        coordinator.start(trial, "here")
        report = {"epoch": 1, "metrics": {"val_accuracy": loss}, "seconds": 1.0, "done": False}
        assert coordinator.report(trial, report)
        assert coordinator.report(trial, report)  # a worker that did not hear of it
        coordinator.lose_worker(trial, worker_death())  # nor is its death the trial's
    assert coordinator.propose()[0] == 0
    coordinator.start(0, "here")
    coordinator.lose_worker(0, worker_death())
    assert coordinator.propose()[0] == 0
    coordinator.start(0, "here")
    assert not coordinator.report(0, {"epoch": 1, "metrics": {"val_accuracy": 0.9}, "seconds": 1.0, "done": False})
    assert [event.trial for event in log.events if isinstance(event, TrialPromoted)] == [0]


def test_a_trial_that_diverges_is_neither_promoted_nor_trained_on() -> None:
    class Diverging(Simulation):
        def value(self, trial: int, epoch: int, config: dict[str, Any]) -> float:
            if trial % 3 == 0:
                return math.nan
            return math.nan if trial % 3 == 1 and epoch == 2 else super().value(trial, epoch, config)

    history = Diverging(declared(trials=18)).run().history
    for number, trial in history.trials.items():
        if number % 3 == 0:
            assert (trial.status, len(trial.epochs)) == (Status.DIVERGED, 1)
        elif number % 3 == 1:
            assert (trial.status, len(trial.epochs)) in ((Status.DIVERGED, 2), (Status.STOPPED, 1))
    assert history.is_finished


def test_an_objective_without_a_value_waits_at_no_rung() -> None:
    class Late(Simulation):
        def result(self, trial: int, epoch: int, config: dict[str, Any]) -> dict[str, Any]:
            report = super().result(trial, epoch, config)
            value = math.nan if epoch < 2 else report["metrics"]["val_accuracy"]
            return {**report, "metrics": {"val_accuracy": value, "loss": 1.0}}

    history = Late(declared(trials=6)).run().history
    assert {len(trial.epochs) for trial in history.trials.values()} == {3, 9}


def test_a_sweep_whose_trials_are_all_paused_goes_on() -> None:
    space = SearchSpace(x=Choice(0.1, 0.5, 0.9), y=Choice("a", "b"))
    events = _run_with_waiting(declared(space=space, searcher=Sweep(), trials=None))
    history = fold(events)
    assert history.reason == "all trials"
    assert {trial.config["x"] for trial in list(history.trials.values())[3:]} == {0.9}


def _run_with_waiting(experiment_: Any) -> list[Event]:
    """Run with one worker, and ask again after WAIT."""
    coordinator = Coordinator(experiment_, log := MemoryEventLog())
    coordinator.begin(cpus=1, gpus=0, max_concurrent_trials=1)
    reached: dict[int, int] = {}
    for _ in range(100):
        proposal = coordinator.propose()
        if proposal is None and coordinator.is_idle:
            break
        assert isinstance(proposal, tuple), proposal
        trial, config = proposal
        coordinator.start(trial, "here")
        while True:
            epoch = reached[trial] = reached.get(trial, 0) + 1
            metrics = {"val_accuracy": config["x"] * (1 - math.exp(-epoch))}
            if coordinator.report(trial, {"epoch": epoch, "metrics": metrics, "seconds": 1.0, "done": epoch == 9}):
                break
    coordinator.finish()
    return log.events


@pytest.mark.parametrize(
    ("budget", "ending"), [({"total_epochs": 7}, "total epochs"), ({"time_budget_s": 9.0}, "time")]
)
def test_paused_trials_are_stopped_at_their_rungs_when_a_budget_ends_the_run(budget: Any, ending: str) -> None:
    history = Simulation(declared(**budget)).run().history
    assert history.reason.startswith(ending)
    statuses = {trial.status for trial in history.trials.values()}
    assert Status.STOPPED in statuses
    assert Status.PAUSED not in statuses


def test_paused_trials_stay_paused_when_somebody_interrupts_the_run() -> None:
    simulation = Simulation(declared())
    whole = Simulation(declared()).run().log.events
    coordinator = Coordinator(declared(), log := MemoryEventLog(list(whole[:8])))
    coordinator.replay(whole[:8])
    coordinator.interrupt()
    coordinator.finish()
    history = fold(log.events)
    assert history.reason == Ending.INTERRUPTED
    assert Status.PAUSED in {trial.status for trial in history.trials.values()}
    assert simulation.run(log.events).history.reason == "all trials"


def test_a_paused_trial_keeps_its_weights() -> None:
    policy = RetentionPolicy(1, declared().objective, lag=0)
    deleted: list[int] = []
    events = Simulation(declared()).run().log.events
    ends = [index for index, event in enumerate(events) if isinstance(event, TrialEnded)]
    for index, event in enumerate(events):
        deleted += policy.to_delete_after(event)
        if index < ends[0]:
            assert deleted == []
    assert len(deleted) == 11
