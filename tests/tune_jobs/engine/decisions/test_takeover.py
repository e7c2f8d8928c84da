"""Trials that take over the weights, the history and, changed a little, the configuration of others."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import with_examples
from tests.support.fakes import MemoryEventLog, experiment
from tests.support.simulation import Simulation
from trainables.settings import DONOR_KEY
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.retention import RetentionPolicy
from tune_jobs.results import EpochReported, Event, Status, TrialPromoted, TrialStarted, fold
from tune_jobs.results.journal.lines import decode, encode
from tune_jobs.schedulers import PopulationBased
from tune_jobs.searchers import HyperOpt, Random


def declared(**fields: Any) -> Any:
    return experiment(**{"trials": 5, "searcher": Random(), "scheduler": PopulationBased(interval=2), **fields})


def outcome(events: list[Event]) -> dict[int, Any]:
    return {
        number: (trial.config, trial.status, [epoch.metrics for epoch in trial.epochs.values()])
        for number, trial in fold(events).trials.items()
    }


def takeovers(events: list[Event]) -> list[TrialPromoted]:
    return [event for event in events if isinstance(event, TrialPromoted) and event.donor is not None]


def test_a_trial_has_the_history_of_its_weights() -> None:
    events = Simulation(declared()).run().log.events
    first = takeovers(events)[0]
    index = events.index(first)
    before, after = fold(events[:index]).trials, fold(events[: index + 1]).trials
    assert after[first.trial].config == first.config != before[first.trial].config
    assert [e.metrics for e in after[first.trial].epochs.values()] == [
        e.metrics for e in before[first.donor].epochs.values() if e.epoch <= len(before[first.trial].epochs)
    ]
    assert {epoch.trial for epoch in after[first.trial].epochs.values()} == {first.trial}
    history = fold(events)
    assert [(trial.status, len(trial.epochs)) for trial in history.trials.values()] == [(Status.COMPLETED, 9)] * 5
    assert len(takeovers(events)) == 4  # one of five, after epochs 2, 4, 6 and 8


def test_a_journal_keeps_who_took_over_from_whom() -> None:
    event = takeovers(Simulation(declared()).run().log.events)[0]
    assert decode(encode(event)) == event


def test_the_worker_hears_of_the_donor_and_the_journal_has_the_plain_configuration() -> None:
    donors: dict[int, Any] = {}

    class Watching(Simulation):
        def value(self, trial: int, epoch: int, config: dict[str, Any]) -> float:
            if DONOR_KEY in config:
                donors.setdefault(trial, config[DONOR_KEY])
            return super().value(trial, epoch, config)

    simulation = Watching(declared()).run()
    first = {event.trial: event for event in reversed(takeovers(simulation.log.events))}
    assert {trial: donor for trial, (donor, _) in donors.items()} == {
        trial: event.donor for trial, event in first.items()
    }
    assert all(set(e.config) == {"x"} for e in simulation.log.events if isinstance(e, TrialStarted))


@given(cut=st.floats(0, 1), workers=st.integers(1, 3))
@with_examples(25)
def test_a_run_that_was_cut_anywhere_ends_as_an_uninterrupted_one(cut: float, workers: int) -> None:
    whole = Simulation(declared(), workers=1).run().log.events
    events = Simulation(declared(), workers=workers).run().log.events
    events = events[: 1 + int(cut * (len(events) - 1))]
    resumed = Simulation(declared(), workers=workers).run(events).log.events
    assert outcome(resumed) == outcome(whole)
    assert {(e.trial, e.donor, str(e.config)) for e in takeovers(resumed)} == {
        (e.trial, e.donor, str(e.config)) for e in takeovers(whole)
    }


def test_a_trial_that_diverges_leaves_the_population() -> None:
    class Diverging(Simulation):
        def value(self, trial: int, epoch: int, config: dict[str, Any]) -> float:
            return math.nan if trial == 2 and epoch >= 3 else super().value(trial, epoch, config)

    events = Diverging(declared()).run().log.events
    statuses = {number: trial.status for number, trial in fold(events).trials.items()}
    assert statuses == {0: "completed", 1: "completed", 2: "diverged", 3: "completed", 4: "completed"}
    assert all(2 not in (event.trial, event.donor) for event in takeovers(events)[1:])


def test_the_searcher_hears_nothing_of_configurations_that_it_did_not_propose() -> None:
    events = Simulation(declared(searcher=HyperOpt(startup_trials=2))).run().log.events
    assert fold(events).is_finished


def test_weights_are_kept_by_the_history_that_the_leaderboard_has() -> None:
    events = Simulation(declared()).run().log.events
    policy = RetentionPolicy(2, declared().objective, lag=0)
    for event in events:
        policy.to_delete_after(event)
    best = sorted(
        fold(events).trials.values(), key=lambda t: (-t.best(declared().objective).metrics["val_accuracy"], t.trial)
    )
    assert len(policy.all_to_delete()) == 3
    assert best[0].trial not in policy.all_to_delete()


def test_a_resumed_run_gives_the_donor_again() -> None:
    events = Simulation(declared(), workers=1).run().log.events
    index = events.index(takeovers(events)[0])
    coordinator = Coordinator(declared(), MemoryEventLog())
    coordinator.replay(events[: index + 1])
    number, config = coordinator.propose()
    assert (number, config[DONOR_KEY]) == (events[index].trial, [events[index].donor, 2])
    assert not [event for event in events[: index + 1] if isinstance(event, EpochReported) and event.epoch > 2]
