"""The figures that the benchmarks compute from their measurements."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import equal_work, promotions, time_to_accuracy, whole_run, work
from benchmarks.goal import Goal
from tune_jobs.results import EpochReported, TrialPaused, TrialPromoted, TrialStarted


def goal(target: float = 0.9, limit_s: float = 60.0) -> Goal:
    return Goal({"target": target, "limit_s": limit_s, "begun_s": time.time()})


def test_a_goal_is_reached_by_the_first_epoch_that_meets_it_and_records_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["program", str(tmp_path / "work.json")])
    watched = goal()
    for value in (0.5, 0.4, 0.9, 0.95):
        assert watched.reached == (value == 0.95)
        watched.record(value)
    watched.write()
    result = json.loads((tmp_path / "work.out").read_text())
    assert (result["epochs"], result["best"]) == (3, 0.9)
    assert [value for _, value in result["improvements"]] == [0.5, 0.9]
    assert result["met_s"] == result["improvements"][-1][0]


def test_a_search_ends_when_its_time_is_over() -> None:
    assert goal(limit_s=-1.0).reached


def test_the_first_configurations_are_those_of_a_shorter_list() -> None:
    assert work.configurations(48)[:12] == work.configurations(12)


def test_medians_are_compared_and_what_was_not_met_counts_as_the_limit() -> None:
    figure = {"machine_cpu_s": 10.0, "epochs": 3}
    rounds = [
        {"this project": {**figure, "met_s": our_s}, "KerasTuner Hyperband": {**figure, "met_s": met_s}}
        for our_s, met_s in ((20.0, None), (30.0, 40.0), (10.0, 50.0))
    ]
    *_, last = time_to_accuracy.table(rounds, limit_s=100.0).splitlines()
    assert " ".join(last.split()) == "KerasTuner Hyperband 50.0 10 3 0.40 >100 (0.20) 40 (0.75) 50 (0.20)"


def test_ratios_are_taken_within_a_round() -> None:
    def figure(seconds: float) -> dict[str, Any]:
        return {"seconds": seconds, "machine_cpu_s": 2 * seconds, "trials": 12, "best": 0.9}

    rounds = [{"this project": figure(each), "Optuna": figure(2 * each)} for each in (10.0, 90.0, 20.0)]
    *_, last = equal_work.table(rounds).splitlines()
    assert " ".join(last.split()) == "Optuna 40.0 80.0 0.50 0.50 0.50 0.50 12 0.9000"


def line(worker: int, trial: int, call: str, begun_s: float, ended_s: float, **spent_s: float) -> dict[str, Any]:
    return {
        "worker": worker,
        "trial": trial,
        "call": call,
        "begun_s": begun_s,
        "ended_s": ended_s,
        "cpu_before_s": 1.5 if call == "setup" else None,
        "spent_s": {**spent_s, call: ended_s - begun_s - sum(spent_s.values())},
    }


def test_the_first_epoch_and_validation_of_a_trial_tell_what_tracing_took() -> None:
    lines = [
        line(1, 0, "setup", 10.0, 11.0),
        line(1, 0, "step", 11.0, 15.0, build_model=0.5, epoch=2.0, validation=1.0),
        line(1, 0, "step", 15.0, 16.0, epoch=0.75, validation=0.25),
        line(1, 0, "step", 16.0, 17.0, epoch=0.75, validation=0.25),
    ]
    seconds = whole_run.trial_seconds(lines, feeding_s=0.25)
    assert seconds["tracing"] == pytest.approx(1.25 + 0.75)
    assert (seconds["training"], seconds["feeding"]) == pytest.approx((1.5, 0.75))
    assert (seconds["validation"], seconds["model"], seconds["other"]) == pytest.approx((0.75, 0.5, 1.5))


seconds = st.floats(0.01, 5.0)


@given(calls=st.lists(st.tuples(seconds, seconds, seconds), min_size=1, max_size=12), end_s=seconds)
def test_every_second_of_every_worker_is_somewhere(calls: list[tuple[float, float, float]], end_s: float) -> None:
    lines = []
    for worker in (1, 2):
        now_s = 2.0
        for number, (wait_s, epoch_s, rest_s) in enumerate(calls[worker - 1 :]):
            now_s += wait_s
            begun_s, now_s = now_s, now_s + epoch_s + rest_s
            lines.append(
                line(
                    worker,
                    worker,
                    "step" if number else "setup",
                    begun_s,
                    now_s,
                    **{"import": rest_s / 2, "epoch": epoch_s},
                )
            )
    own = {worker: [each for each in lines if each["worker"] == worker] for worker in (1, 2)}
    trials = {worker: whole_run.trial_seconds(own[worker], 0.0) for worker in own if own[worker]}
    for trial, waited_s in whole_run.waits(lines):
        trials[trial]["reporting"] += waited_s
    ended_s = max(each["ended_s"] for each in lines) + end_s
    run = whole_run.run_seconds(lines, trials, 0.0, ended_s)
    assert sum(run.values()) == pytest.approx(len(trials) * ended_s)
    assert min(run.values()) >= 0


def test_a_pause_ends_with_the_next_start_and_a_start_with_its_first_epoch() -> None:
    def started(time_s: float, trial: int) -> TrialStarted:
        return TrialStarted(time_s=time_s, trial=trial, config={}, node="here")

    def epoch(time_s: float, trial: int, number: int) -> EpochReported:
        return EpochReported(time_s=time_s, trial=trial, epoch=number, metrics={}, seconds=1.0)

    events = [
        *(started(0.0, 0), epoch(1.25, 0, 1), epoch(2.25, 0, 2), TrialPaused(time_s=2.5, trial=0, reason="", epochs=2)),
        *(started(2.75, 1), epoch(4.0, 1, 1), TrialPromoted(time_s=5.0, trial=0, reason="")),
        *(started(5.0, 0), epoch(6.5, 0, 3), TrialPromoted(time_s=7.0, trial=1, reason="", donor=0)),
        *(started(7.0, 1), epoch(8.75, 1, 2)),
    ]
    assert promotions.figures_of(events) == {
        "pause": [0.25],
        "start, new": [0.25, 0.25],
        "start, promoted": [0.5],
        "start, with another's weights": [0.75],
    }
