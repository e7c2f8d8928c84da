"""Durations do not come from the wall clock, which can be set while a run goes on."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

from tests.support.fakes import experiment
from tests.support.simulation import Simulation
from tune_jobs.base.clock import SteadyClock
from tune_jobs.engine.run_folder.reporter import Plan
from tune_jobs.results import EpochReported, RunEnded, RunStarted, TrialStarted, fold
from tune_jobs.views.progress.estimate import seconds_left
from tune_jobs.views.progress.plain import PlainView
from tune_jobs.views.progress.progress import Progress
from tune_jobs.views.summary import totals_text

DAY_S = 86_400.0


@pytest.fixture(params=[DAY_S, -DAY_S])
def leap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> object:
    """A function that sets the wall clock forward, or back."""
    real = time.time

    def set_clock() -> None:
        monkeypatch.setattr(time, "time", lambda: real() + request.param)

    return set_clock


def test_the_label_is_the_wall_clocks_and_the_duration_is_not(leap) -> None:
    clock, before_s = SteadyClock(), time.time()
    leap()
    assert clock() == pytest.approx(before_s, abs=60)
    assert SteadyClock()() == pytest.approx(time.time(), abs=60)


def test_a_clock_that_is_set_ends_no_run(leap) -> None:
    from tune_jobs.engine.decisions.coordinator import Coordinator

    log = Simulation(experiment()).log
    coordinator = Coordinator(experiment(time_budget_s=3600.0, trial_timeout_s=600.0), log)
    coordinator.begin(cpus=1, gpus=0, max_concurrent_trials=1, nodes=None)
    number, _ = coordinator.propose()
    coordinator.start(number, "here")
    leap()
    assert not coordinator.is_over
    assert coordinator.hanging_trials() == []
    coordinator.interrupt()
    coordinator.finish(None)
    assert abs(log.events[-1].time_s - log.events[0].time_s) < 60


def plan() -> Plan:
    return Plan(Path("runs/first"), "first", "loss", "min", 3, 1, None, None, 1)


def test_the_screen_shows_the_time_that_has_passed(leap) -> None:
    stream = io.StringIO()
    view, known = PlainView(stream), plan()
    view.begin(known)
    view.event(RunStarted(time_s=known.clock(), cpus=1, gpus=0, max_concurrent_trials=1))
    leap()
    view.end()
    assert "ended after 0s" in stream.getvalue() or "ended after 1s" in stream.getvalue()


def epoch(trial: int, time_s: float) -> EpochReported:
    return EpochReported(time_s=time_s, trial=trial, epoch=1, metrics={"loss": 1.0}, seconds=1.0)


def sessions() -> list[object]:
    """Return the events of a run that took 10 s, and was resumed a day later, with the clock set back in between."""
    first = [RunStarted(time_s=2 * DAY_S, cpus=1, gpus=0, max_concurrent_trials=1)]
    first += [TrialStarted(time_s=2 * DAY_S, trial=0, config={}, node=""), epoch(0, 2 * DAY_S + 10)]  # it was killed
    second = [RunStarted(time_s=DAY_S, cpus=1, gpus=0, max_concurrent_trials=1)]
    second += [TrialStarted(time_s=DAY_S, trial=trial, config={}, node="") for trial in range(1, 7)]
    second += [epoch(trial, DAY_S + trial) for trial in range(1, 7)]
    return [*first, *second]


def test_the_time_between_two_sessions_is_not_counted() -> None:
    history = fold([*sessions(), RunEnded(time_s=DAY_S + 7, reason="all trials", error=None)])
    assert history.seconds == 17
    assert totals_text(history).endswith("17s")


def test_the_estimate_goes_by_this_session() -> None:
    progress = Progress.of(Plan(Path("first"), "first", "loss", "min", None, 1, 20, None, 1))
    for event in sessions():
        progress = progress.after(event)
    assert seconds_left(progress, DAY_S + 6) == pytest.approx(13.0)
