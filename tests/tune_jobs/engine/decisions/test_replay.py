"""The replay of a journal: a resumed run goes on as if it had not been interrupted."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from search_spaces import Choice, SearchSpace
from tests.support.examples import with_examples
from tests.support.fakes import MemoryEventLog, experiment
from tests.support.simulation import Simulation
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.retention import RetentionPolicy
from tune_jobs.results import EpochReported, JournalWriter, TrialStarted, read_journal
from tune_jobs.results.journal.lines import encode
from tune_jobs.results.leaderboard import columns_of, leaderboard
from tune_jobs.searchers import Grid, HyperOpt, Random


class StopThemselves(Simulation):
    """Every third trial ends at its third epoch, which is a rung, as with an EarlyStopping."""

    def result(self, trial: int, epoch: int, config: dict[str, Any]) -> dict[str, Any]:
        report = super().result(trial, epoch, config)
        return {**report, "done": report["done"] or (trial % 3 == 0 and epoch == 3)}


def outcome(simulation: Simulation) -> dict[int, Any]:
    """Configuration, status, metrics and reason of each trial."""
    return {
        number: (trial.config, trial.status, [epoch.metrics for epoch in trial.epochs.values()], trial.reason)
        for number, trial in simulation.history.trials.items()
    }


@pytest.mark.parametrize("kind", [Simulation, StopThemselves])
@pytest.mark.parametrize("searcher", [Random(), HyperOpt(startup_trials=4)])
@given(cut=st.floats(0, 1))
@example(cut=0.078125)  # right after the last epoch of a trial that stopped itself at a rung
@with_examples(15)
def test_a_run_that_was_cut_anywhere_ends_as_an_uninterrupted_one(kind: Any, searcher: Any, cut: float) -> None:
    declared = experiment(trials=12, searcher=searcher)
    whole = kind(declared, workers=1).run()
    events = whole.log.events[: 1 + int(cut * (len(whole.log.events) - 1))]
    assert outcome(kind(declared, workers=1).run(events)) == outcome(whole)


@given(cut=st.floats(0, 1))
@with_examples(10)
def test_the_leaderboard_of_a_journal_that_was_cut_and_resumed_is_that_of_a_whole_one(cut: float) -> None:
    declared = experiment(trials=12, searcher=Random(), keep=3)
    whole = Simulation(declared, workers=1).run()
    journal = b"".join(map(encode, whole.log.events))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.jsonl")
        path.write_bytes(journal[: int(cut * len(journal))])
        JournalWriter(path).close()
        resumed = Simulation(declared, workers=1).run(read_journal(path))
    frames = [leaderboard(run.history, declared.objective, columns_of(declared.space)) for run in (whole, resumed)]
    assert_frame_equal(*frames)
    policies = [RetentionPolicy(declared.keep, declared.objective, lag=1) for _ in range(2)]
    for policy, run in zip(policies, (whole, resumed), strict=True):
        for event in run.log.events:
            policy.to_delete_after(event)
    assert policies[0].all_to_delete() == policies[1].all_to_delete()


@given(cut=st.floats(0, 1), workers=st.integers(2, 4))
@with_examples(15)
def test_side_by_side_a_cut_run_tries_the_same_configurations_once(cut: float, workers: int) -> None:
    space = SearchSpace(x=Choice(0.1, 0.2, 0.3, 0.4, 0.5), y=Choice("a", "b"))
    for searcher in (Random(), Grid()):
        declared = experiment(trials=None, space=space, searcher=searcher)
        whole = Simulation(declared, workers=workers).run()
        events = whole.log.events[: 1 + int(cut * (len(whole.log.events) - 1))]
        resumed = Simulation(declared, workers=workers).run(events)
        assert [value[0] for value in outcome(resumed).values()] == [value[0] for value in outcome(whole).values()]
        reported = [(e.trial, e.epoch) for e in resumed.log.events if isinstance(e, EpochReported)]
        assert len(reported) == len(set(reported))


def test_a_finished_run_can_be_given_more_trials() -> None:
    first = Simulation(experiment(trials=5, searcher=Random())).run()
    more = Simulation(experiment(trials=9, searcher=Random())).run(first.log.events)
    assert [value[0] for value in outcome(more).values()] == [
        value[0] for value in outcome(Simulation(experiment(trials=9, searcher=Random())).run()).values()
    ]
    assert outcome(first).items() <= outcome(more).items()


def test_trials_that_started_out_of_order_are_neither_lost_nor_run_again() -> None:
    declared = experiment(trials=3, searcher=Random())
    whole = Simulation(declared, workers=1).run()
    starts = {event.trial: event for event in whole.log.events if isinstance(event, TrialStarted)}
    later = [event for event in whole.log.events if getattr(event, "trial", None) == 1]
    resumed = Coordinator(declared, MemoryEventLog())
    resumed.replay([whole.log.events[0], *later])  # trial 0 was proposed, and had not started
    proposals = [resumed.propose() for _ in range(3)]
    assert proposals == [(0, starts[0].config), (2, starts[2].config), None]
