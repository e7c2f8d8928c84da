"""The longest of the last trials start first where they are known beforehand, and nothing else changes."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Choice, Float, Int, SearchSpace
from tests.support.fakes import MemoryEventLog, experiment
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.longest_first import LongestFirst, order_of
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import Event, TrialEnded, TrialStarted, fold
from tune_jobs.schedulers import NoScheduler
from tune_jobs.searchers import Grid, HyperOpt, Random

SPACE = SearchSpace(units=Choice(32, 64, 128, 256), layers=Int(1, 3), rate=Float(1e-4, 1e-1, log=True))


def epoch_s(config: dict[str, Any]) -> float:
    """The duration of an epoch of a configuration."""
    return (0.2 + config["units"] / 64) * config["layers"]


def spent_s(declared: Experiment, workers: int, earlier: list[Event] | None = None) -> tuple[float, list[Event]]:
    """The duration of a run, and its events. After earlier events, trials that had not ended begin anew."""
    log = MemoryEventLog(list(earlier or []))
    now_s, busy = 0.0, []
    coordinator = Coordinator(declared, log, clock=lambda: now_s)
    coordinator.replay(earlier or [])
    coordinator.begin(cpus=workers, gpus=0, max_concurrent_trials=workers)
    reached = {number: len(trial.epochs) for number, trial in fold(earlier or []).trials.items()}
    while True:
        while len(busy) < workers and isinstance(proposal := coordinator.propose(), tuple):
            trial, config = proposal
            coordinator.start(trial, "here")
            heapq.heappush(busy, (now_s + epoch_s(config), trial, reached.get(trial, 0) + 1, config))
        if not busy:
            coordinator.finish()
            return now_s, log.events
        now_s, trial, epoch, config = heapq.heappop(busy)
        done = epoch == declared.max_epochs
        report = {"epoch": epoch, "metrics": {"val_accuracy": 0.5}, "seconds": epoch_s(config), "done": done}
        if not coordinator.report(trial, report):
            heapq.heappush(busy, (now_s + epoch_s(config), trial, epoch + 1, config))


def declared(**fields: Any) -> Experiment:
    defaults = {"space": SPACE, "searcher": Random(), "scheduler": NoScheduler(), "trials": 24, "max_epochs": 4}
    return experiment(**{**defaults, **fields})


def starts(events: list[Event]) -> dict[int, Any]:
    return {event.trial: dict(event.config) for event in events if isinstance(event, TrialStarted)}


@pytest.fixture
def in_order(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets trials start as they are proposed, from when it is called."""
    return lambda: monkeypatch.setattr("tune_jobs.engine.decisions.advisers.order_of", lambda _: None)


def test_workers_idle_less_at_the_end_and_every_trial_is_what_it_was(in_order: Callable[[], None]) -> None:
    runs = [declared(seed=seed) for seed in range(10)]
    longest_first = [spent_s(run, workers=8) for run in runs]
    in_order()
    as_proposed = [spent_s(run, workers=8) for run in runs]
    for (_, events), (_, expected) in zip(longest_first, as_proposed, strict=True):
        assert starts(events) == starts(expected)
        assert list(starts(expected)) == list(range(24))
    whole_s, expected_s = (sum(seconds for seconds, _ in spent) for spent in (longest_first, as_proposed))
    assert whole_s < 0.9 * expected_s


@given(cut=st.floats(0, 1), workers=st.integers(1, 5))
def test_a_run_that_was_cut_trains_every_trial_once(cut: float, workers: int) -> None:
    _, events = spent_s(declared(), workers)
    kept = events[: 1 + int(cut * (len(events) - 2))]
    _, all_events = spent_s(declared(), workers, kept)
    assert starts(all_events) == starts(events)
    epochs = {number: list(trial.epochs) for number, trial in fold(all_events).trials.items()}
    assert epochs == {number: [1, 2, 3, 4] for number in range(24)}


def in_turn(order: LongestFirst, configs: list[dict[str, Any]]) -> list[int]:
    """All trials, as they would start."""
    waiting, started = dict(enumerate(configs)), []
    while waiting:
        started.append(order.choose(waiting))
        del waiting[started[-1]]
    return started


@given(st.lists(st.tuples(st.sampled_from([32, 64, 128, 256]), st.integers(1, 3)), min_size=1, max_size=20))
def test_what_nothing_tells_apart_keeps_its_order(choices: list[tuple[int, int]]) -> None:
    configs = [{"units": units, "layers": layers, "rate": 0.01} for units, layers in choices]
    assert in_turn(LongestFirst(SPACE), configs) == list(range(len(choices)))


def test_what_took_longer_is_first() -> None:
    order, units = LongestFirst(SPACE), [32, 256, 64]
    for trial, width in enumerate(units):
        order.learn(100 + trial, {"units": width, "layers": 1, "rate": 0.01}, seconds=width / 100)
    assert in_turn(order, [{"units": width, "layers": 2, "rate": 0.02} for width in units]) == [1, 2, 0]


def test_a_run_that_is_ended_early_has_tried_what_came() -> None:
    coordinator = Coordinator(declared(trials=1000), MemoryEventLog())
    coordinator.begin(cpus=2, gpus=0, max_concurrent_trials=2)
    begun = []
    for _ in range(900):
        trial, config = coordinator.propose()
        coordinator.start(trial, "here")
        begun.append(trial)
        report = {"epoch": 4, "metrics": {"val_accuracy": 0.5}, "seconds": epoch_s(config), "done": True}
        assert coordinator.report(trial, report)
    assert begun == list(range(900))


def cut_after(started: int, declared: Experiment) -> list[Event]:
    """The events of a run until so many trials have started, out of order."""
    _, events = spent_s(declared, workers=2)
    indices = [index for index, event in enumerate(events) if isinstance(event, TrialStarted)]
    kept = events[: indices[started - 1] + 1]
    assert max(trial for trial in starts(kept)) >= started
    return kept


@pytest.mark.parametrize("trials", [3, 12, 16, 24, 30])
def test_resumed_with_other_trials_no_more_are_begun_than_were_asked_for(trials: int) -> None:
    kept = cut_after(12, declared())
    _, events = spent_s(declared(trials=trials), 2, kept)
    assert len(starts(events)) == max(trials, 12)
    assert set(starts(kept)) <= set(starts(events))


def test_resumed_with_a_budget_what_was_interrupted_goes_on_first() -> None:
    kept = cut_after(12, declared())
    ended = {event.trial for event in kept if isinstance(event, TrialEnded)}
    _, events = spent_s(declared(total_epochs=80), 2, kept)
    begun = [event.trial for event in events[len(kept) :] if isinstance(event, TrialStarted)]
    assert set(begun[:2]) == set(starts(kept)) - ended
    assert begun[2:5] == sorted(set(range(24)) - set(starts(kept)))[:3]


def test_resumed_in_another_space_it_goes_on() -> None:
    kept = cut_after(5, declared(trials=8))
    wider = SearchSpace(**SPACE.parameters, dropout=Float(0.0, 0.5))
    _, events = spent_s(declared(trials=8, space=wider), 2, kept)
    assert len(starts(events)) == 8


@pytest.mark.parametrize(
    "fields",
    [
        {"scheduler": experiment().scheduler},
        {"time_budget_s": 60.0},
        {"total_epochs": 30},
        {"searcher": HyperOpt()},
        {"space": SearchSpace(number=Choice(*range(1000)))},
    ],
    ids=["trials may be stopped", "a time budget", "an epoch budget", "learns from results", "too wide"],
)
def test_elsewhere_the_order_is_the_searchers(fields: dict[str, Any]) -> None:
    assert order_of(declared()) is not None
    assert order_of(declared(**fields)) is None


def test_a_grid_is_trained_whole() -> None:
    grid = SearchSpace(units=Choice(32, 64, 128, 256), layers=Int(1, 3))
    _, events = spent_s(declared(space=grid, searcher=Grid(), trials=None), workers=3)
    assert sorted(starts(events)) == list(range(12))
    assert [starts(events)[trial] for trial in range(12)] == list(grid.grid())
