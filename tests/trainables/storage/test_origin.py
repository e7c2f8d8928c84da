"""A checkpoint tells of which configuration it is, and what its epochs measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.outcomes import BeginTrial
from tests.support.tiny_trainables import Tiny, train
from trainables.report import Epoch
from trainables.settings import REPORTED_KEY, TRIAL_KEY
from trainables.storage.checkpoint import CheckpointError, DiskCheckpoints, Snapshot, read, write
from trainables.storage.layout import ARCHITECTURE_FILE
from trainables.storage.origin import Origin, history_of

EPOCHS = [Epoch(number, {"loss": 1 / number}, 0.5) for number in (1, 2, 3, 4)]


def snapshot(**state: Any) -> Snapshot:
    return Snapshot({"epoch": 4, "last": EPOCHS[3].to_json(), **state}, {})


def test_a_checkpoint_brings_the_epochs_that_the_driver_does_not_know() -> None:
    written = Origin({"units": (4, 2)}, 0).written_into(snapshot(), EPOCHS)
    assert history_of(written) == EPOCHS
    for reported in range(6):
        origin = Origin({"units": [4, 2]}, reported)
        origin.check(written)
        assert origin.missing_epochs(written) == EPOCHS[reported:3]


def test_a_checkpoint_of_another_configuration_is_refused() -> None:
    written = Origin({"units": 4}, 0).written_into(snapshot(), EPOCHS)
    with pytest.raises(CheckpointError, match="epoch 4 is of another configuration"):
        Origin({"units": 5}, 0).check(written)


def test_a_checkpoint_of_an_older_version_is_used_unless_it_leaves_a_gap() -> None:
    Origin({}, 3).check(snapshot())
    Origin({}, 7).check(snapshot())
    with pytest.raises(CheckpointError, match="which has 2 epochs of the trial, and does not tell what came between"):
        Origin({}, 2).check(snapshot())


@pytest.mark.parametrize("history", [7, [7], [{"epoch": 1}], [{"epoch": 1, "metrics": 3, "seconds": 1}], [None]])
def test_a_damaged_history_is_a_damaged_checkpoint(history: Any) -> None:
    with pytest.raises(CheckpointError, match="does not tell what its epochs measured"):
        Origin({}, 0).check(snapshot(history=history))


def test_a_worker_reports_first_what_the_driver_does_not_know(begin: BeginTrial, tmp_path: Path) -> None:
    worker = begin(Tiny, folder=str(tmp_path), max_epochs=6, checkpoint_every_s=0)
    reports = train(worker, 4)
    worker.wait_until_saved()
    again = begin(Tiny, {REPORTED_KEY: 1}, folder=str(tmp_path), max_epochs=6)
    first, second = train(again, 2)
    assert (first["epoch"], second["epoch"]) == (4, 5)
    brought = [(epoch.number, epoch.metrics) for epoch in first["earlier_epochs"]]
    assert brought == [(report["epoch"], report["metrics"]) for report in reports[1:3]]
    assert "earlier_epochs" not in second


def strip(folder: Path) -> None:
    """Make the checkpoints of a trial those of an older version."""
    for name in DiskCheckpoints(folder).names():
        old = read(folder / name)
        state = {key: value for key, value in old.state.items() if key not in ("history", "config")}
        write(folder / name, Snapshot(state, old.arrays))


def test_a_checkpoint_that_would_leave_a_gap_gives_way_to_the_trial_s_new_ones(
    begin: BeginTrial, tmp_path: Path
) -> None:
    worker = begin(Tiny, {TRIAL_KEY: 3}, folder=str(tmp_path), max_epochs=6, checkpoint_every_s=0)
    train(worker, 5)
    worker.wait_until_saved()
    folder = tmp_path / "0003"
    strip(folder)
    again = begin(Tiny, {TRIAL_KEY: 3, REPORTED_KEY: 1}, folder=str(tmp_path), max_epochs=6, checkpoint_every_s=0)
    first, second = train(again, 2)
    again.wait_until_saved()
    assert (first["epoch"], second["epoch"]) == (1, 2)
    ((number, note),) = first["notes"]
    assert number == 3
    assert "epoch 5 is newer than the journal" in note
    assert note.endswith("It starts again.")
    assert DiskCheckpoints(folder).names() == ["epoch-000002", "epoch-000001"]
    assert (folder / ARCHITECTURE_FILE).exists()
