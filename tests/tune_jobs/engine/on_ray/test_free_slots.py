"""Ray gets as many trials as there are slots, and no more."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.support.fakes import MemoryEventLog, experiment, worker_death
from tests.support.simulated_ray import Declared
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.on_ray.bridge import CoordinatorSearcher
from tune_jobs.engine.on_ray.internals import trial as lean_trial
from tune_jobs.searchers import Random


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean_trial, "get_trainable_cls", lambda _: Declared)


class Run:
    """A searcher of five trials, and the number of slots."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.coordinator = Coordinator(experiment(searcher=Random()), MemoryEventLog())
        self.coordinator.begin(cpus=1, gpus=0, max_concurrent_trials=1)
        self.searcher = CoordinatorSearcher(self.coordinator, lambda: self.slots)
        self.searcher.add_configurations([SimpleNamespace(spec={"run": "declared", "storage": SimpleNamespace()})])
        self._ids: dict[int, str] = {}

    def ask(self) -> int | None:
        """Return the number of the next trial."""
        trial = self.searcher.next_trial()
        if trial is None:
            return None
        self._ids[trial.number] = trial.trial_id
        return trial.number

    def end(self, trial: int) -> None:
        """Let Ray be done with a trial."""
        self.searcher.on_trial_complete(self._ids[trial])


def test_no_more_trials_are_proposed_than_there_are_slots() -> None:
    run = Run(slots=2)
    assert [run.ask() for _ in range(4)] == [0, 1, None, None]
    run.end(0)
    assert [run.ask() for _ in range(2)] == [2, None]


def test_a_node_that_joins_is_given_trials_at_once_and_one_that_leaves_none() -> None:
    run = Run(slots=1)
    assert [run.ask(), run.ask()] == [0, None]
    run.slots = 3
    assert [run.ask() for _ in range(3)] == [1, 2, None]
    run.slots = 2
    run.end(0)
    assert run.ask() is None
    run.end(1)
    assert run.ask() == 3


def test_a_trial_whose_worker_died_waits_for_a_slot_like_any_other() -> None:
    run = Run(slots=1)
    assert run.ask() == 0
    run.coordinator.start(0, "gone")
    run.slots = 0
    run.coordinator.lose_worker(0, worker_death("The node died."))
    run.end(0)
    assert run.ask() is None
    run.slots = 1
    assert run.ask() == 0


def test_a_run_that_is_interrupted_while_no_node_is_left_ends() -> None:
    run = Run(slots=0)
    assert run.ask() is None
    assert not run.searcher.is_finished()
    run.coordinator.interrupt()
    assert run.ask() is None
    assert run.searcher.is_finished()
