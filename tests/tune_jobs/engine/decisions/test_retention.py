"""Whose weights are kept, and that only those of others go."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.storage.checkpoint import DiskCheckpoints, Snapshot
from trainables.storage.layout import trial_name
from tune_jobs.base.objective import Objective
from tune_jobs.engine.decisions.retention import CheckpointPruner, RetentionPolicy
from tune_jobs.experiment.experiment import Keep
from tune_jobs.results import EpochReported, Event, Status, TrialEnded, TrialStarted, fold, ranking

BEST = Objective("val_accuracy", "max")


def started(trial: int) -> TrialStarted:
    return TrialStarted(time_s=1.0, trial=trial, config={}, node="here")


def epoch(trial: int, value: float, number: int = 1) -> EpochReported:
    return EpochReported(time_s=1.0, trial=trial, epoch=number, metrics={"val_accuracy": value}, seconds=1.0)


def ended(trial: int, status: Status = Status.STOPPED) -> TrialEnded:
    return TrialEnded(time_s=1.0, trial=trial, status=status, reason="", error=None)


def whole(trial: int, value: float) -> list[Event]:
    return [started(trial), epoch(trial, value), ended(trial)]


def deleted(keeping: RetentionPolicy, events: list[Event]) -> list[int]:
    return [trial for event in events for trial in keeping.after(event)]


def test_who_falls_out_of_the_best_goes_and_nobody_else() -> None:
    keeping = RetentionPolicy(2, BEST, lag=0)
    values = [0.5, 0.7, 0.6, 0.1, 0.9]
    gone = [deleted(keeping, whole(trial, value)) for trial, value in enumerate(values)]
    assert gone == [[], [], [0], [3], [2]]
    assert keeping.losers() == [0, 2, 3]


def test_a_worker_is_given_time_to_write_its_last_checkpoint() -> None:
    keeping = RetentionPolicy("none", BEST, lag=2)
    gone = [deleted(keeping, whole(trial, 0.5)) for trial in range(5)]
    assert gone == [[], [], [0], [1], [2]]
    assert keeping.losers() == [0, 1, 2, 3, 4]


def test_trials_that_may_go_on_keep_their_weights() -> None:
    keeping = RetentionPolicy(1, BEST, lag=0)
    assert deleted(keeping, [started(0), epoch(0, 0.1), *whole(1, 0.5), *whole(2, 0.6)]) == [1]
    assert deleted(keeping, [started(1), epoch(1, 0.55, 2)]) == []  # it had ended, and is tried again
    assert keeping.losers() == []


def test_weights_without_a_finite_objective_are_worth_nothing() -> None:
    keeping = RetentionPolicy(5, BEST, lag=0)
    assert deleted(keeping, [*whole(0, math.nan), started(1), ended(1, Status.FAILED)]) == [0, 1]


def test_everything_is_kept_when_all_is_asked_for() -> None:
    keeping = RetentionPolicy("all", BEST, lag=0)
    assert deleted(keeping, [event for trial in range(30) for event in whole(trial, trial / 30)]) == []
    assert keeping.losers() == []


@given(
    values=st.lists(st.sampled_from([0.1, 0.2, 0.3, math.nan]), max_size=12),
    keep=st.sampled_from(["none", 1, 3, 20]),
    lag=st.integers(0, 4),
    cut=st.floats(0, 1),
)
@settings(deadline=None, max_examples=60)
def test_what_is_left_are_the_first_ranks_of_the_leaderboard(
    values: list[float], keep: Keep, lag: int, cut: float
) -> None:
    """Also when the run was killed and resumed: the journal is heard again."""
    events = [event for trial, value in enumerate(values) for event in whole(trial, value)]
    killed, keeping = RetentionPolicy(keep, BEST, lag), RetentionPolicy(keep, BEST, lag)
    before = deleted(killed, events[: int(cut * len(events))])
    gone = deleted(keeping, events)
    places = [place.trial.trial for place in ranking(fold(events), BEST) if place.rank]
    kept = places[: 0 if keep == "none" else int(keep)]
    assert keeping.losers() == sorted(set(range(len(values))) - set(kept))
    assert len(set(gone)) == len(gone)
    assert set(before) <= set(gone) <= set(keeping.losers())


def save(folder: Path, trial: int) -> Path:
    directory = folder / trial_name(trial)
    DiskCheckpoints(directory).save(Snapshot({"epoch": 1}, {"model/0000": np.zeros(3)}))
    DiskCheckpoints(directory).save_architecture("{}")
    return directory


def test_weights_are_deleted_and_what_a_late_worker_wrote_is_deleted_at_the_end(tmp_path: Path) -> None:
    keeper = CheckpointPruner(RetentionPolicy(1, BEST, lag=0), tmp_path)
    for trial, value in enumerate([0.9, 0.5, 0.6]):
        folder = save(tmp_path, trial)
        (folder / "error.txt").write_text("why") if trial == 1 else None
        for event in whole(trial, value):
            keeper.event(event)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")) == [
        "0000/epoch-000001",
        "0000/model.json",
        "0001/error.txt",
    ]
    save(tmp_path, 2)
    keeper.end()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0000", "0001"]


@pytest.mark.parametrize("link", ["trial", "checkpoint"])
def test_nothing_outside_the_run_is_deleted(tmp_path: Path, link: str) -> None:
    """A folder may have come from somebody else: its links are not followed."""
    outside, trials = tmp_path / "outside", tmp_path / "trials"
    outside.mkdir()
    trials.mkdir()
    precious = save(outside, 0)
    if link == "trial":
        (trials / "0000").symlink_to(precious)
    else:
        (trials / "0000").mkdir()
        (trials / "0000" / "epoch-000001").symlink_to(precious / "epoch-000001")
    keeper = CheckpointPruner(RetentionPolicy("none", BEST, lag=0), trials)
    for event in whole(0, 0.5):
        keeper.event(event)
    keeper.end()
    assert {path.name for path in precious.iterdir()} == {"epoch-000001", "model.json"}
    assert DiskCheckpoints(trials / "0000").newest() is None
    assert DiskCheckpoints(precious).newest() is not None


def test_a_trial_number_is_all_that_names_a_folder(tmp_path: Path) -> None:
    names: list[Any] = [(tmp_path / trial_name(trial)).name for trial in (0, 7, 10**9)]
    assert names == ["0000", "0007", "1000000000"]
