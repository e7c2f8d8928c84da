"""The pruner of a run deletes weights that are not kept, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.trial_events import whole_trial
from trainables.storage.checkpoint import DiskCheckpoints, Snapshot
from trainables.storage.layout import trial_name
from tune_jobs.base.objective import Objective
from tune_jobs.engine.decisions.retention import RetentionPolicy
from tune_jobs.engine.run_folder.recorder import CheckpointPruner

BEST = Objective("val_accuracy", "max")


def save(folder: Path, trial: int) -> Path:
    directory = folder / trial_name(trial)
    DiskCheckpoints(directory).save(Snapshot({"epoch": 1}, {"model/0000": np.zeros(3)}))
    DiskCheckpoints(directory).save_architecture("{}")
    return directory


def test_weights_are_deleted_and_what_a_late_worker_wrote_is_deleted_at_the_end(tmp_path: Path) -> None:
    pruner = CheckpointPruner(RetentionPolicy(1, BEST, lag=0), tmp_path)
    for trial, value in enumerate([0.9, 0.5, 0.6]):
        folder = save(tmp_path, trial)
        (folder / "error.txt").write_text("why") if trial == 1 else None
        for event in whole_trial(trial, value):
            pruner.event(event)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")) == [
        "0000/epoch-000001",
        "0000/model.json",
        "0001/error.txt",
    ]
    save(tmp_path, 2)
    pruner.end()
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
    pruner = CheckpointPruner(RetentionPolicy("none", BEST, lag=0), trials)
    for event in whole_trial(0, 0.5):
        pruner.event(event)
    pruner.end()
    assert {path.name for path in precious.iterdir()} == {"epoch-000001", "model.json"}
    assert DiskCheckpoints(trials / "0000").newest() is None
    assert DiskCheckpoints(precious).newest() is not None


def test_a_trial_number_is_all_that_names_a_folder(tmp_path: Path) -> None:
    names = [(tmp_path / trial_name(trial)).name for trial in (0, 7, 10**9)]
    assert names == ["0000", "0007", "1000000000"]
