"""Checkpoints are written beside the training, and a storage that refuses them is given a minute."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import numpy as np
import pytest

from trainables.storage import checkpoint
from trainables.storage.background_writer import BackgroundWriter, Pending
from trainables.storage.checkpoint import Snapshot, numbered
from trainables.storage.retry import DELAYS_S


def pending(folder: Path, epoch: int, trial: int = 7) -> Pending:
    return Pending(trial, folder, Snapshot({"epoch": epoch}, numbered("model", [np.full(3, epoch)])), '{"a": 1}')


class Storage:
    """Takes the place of ``checkpoint.save``: refuses so many times, and may be held."""

    def __init__(self, refusals: int = 0, error: Exception | None = None) -> None:
        self.refusals = refusals
        self.error = error or OSError(errno.ENOSPC, "No space left on device")
        self.tried: list[int] = []
        self.open = threading.Event()
        self.open.set()
        self.begun = threading.Event()
        self._save = checkpoint.save

    def save(self, folder: Path, epoch: int, snapshot: Snapshot) -> str:
        self.tried.append(epoch)
        self.begun.set()
        assert self.open.wait(60)
        if len(self.tried) <= self.refusals:
            raise self.error
        return self._save(folder, epoch, snapshot)


@pytest.fixture
def storage(monkeypatch):
    made = Storage()
    monkeypatch.setattr(checkpoint, "save", made.save)
    return made


@pytest.fixture
def slept():
    return []


def test_a_checkpoint_and_the_architecture_are_written(tmp_path):
    writer = BackgroundWriter()
    writer.write(pending(tmp_path, 3))
    writer.wait()
    assert checkpoint.newest(tmp_path).state == {"epoch": 3}
    assert (tmp_path / checkpoint.ARCHITECTURE_FILE).read_text() == '{"a": 1}'
    assert writer.take_notes() == []


def test_of_those_that_wait_the_newest_is_written(tmp_path, storage):
    writer = BackgroundWriter()
    storage.open.clear()
    writer.write(pending(tmp_path, 1))
    assert storage.begun.wait(60)
    for epoch in (2, 3, 4):
        writer.write(pending(tmp_path, epoch))
    storage.open.set()
    writer.wait()
    assert storage.tried == [1, 4]
    assert checkpoint.newest(tmp_path).state == {"epoch": 4}


def test_a_storage_that_comes_back_within_a_minute_gets_the_checkpoint(tmp_path, storage, slept):
    storage.refusals = len(DELAYS_S)
    writer = BackgroundWriter(slept.append)
    writer.write(pending(tmp_path, 1))
    writer.wait()
    assert slept == list(DELAYS_S)
    assert 55 < sum(slept) < 65
    assert checkpoint.newest(tmp_path).state == {"epoch": 1}
    assert writer.take_notes() == []


def test_a_newer_checkpoint_takes_the_place_of_one_that_is_refused(tmp_path, storage):
    storage.refusals = 1
    writer = BackgroundWriter(lambda _: writer.write(pending(tmp_path, 2)))
    writer.write(pending(tmp_path, 1))
    writer.wait()
    assert storage.tried == [1, 2]
    assert checkpoint.names(tmp_path) == ["epoch-000002"]


def test_a_storage_that_stays_full_is_noted_once_a_trial_and_given_no_other_minute(tmp_path, storage, slept):
    storage.refusals = 100
    writer = BackgroundWriter(slept.append)
    for trial, epoch in ((7, 1), (7, 2), (7, 3), (8, 1)):
        writer.write(pending(tmp_path, epoch, trial))
        writer.wait()
    text = "the checkpoint of epoch 1 could not be written (No space left on device); it goes on without one"
    assert writer.take_notes() == [(7, text), (8, text)]
    assert writer.take_notes() == []
    assert slept == list(DELAYS_S)
    storage.refusals = 0
    writer.write(pending(tmp_path, 2, 8))
    writer.wait()
    assert checkpoint.newest(tmp_path).state == {"epoch": 2}


def test_what_no_waiting_can_mend_is_noted_at_once(tmp_path, storage, slept):
    storage.refusals, storage.error = 1, TypeError("Object of type set is not JSON serializable")
    writer = BackgroundWriter(slept.append)
    writer.write(pending(tmp_path, 1))
    writer.wait()
    ((_, text),) = writer.take_notes()
    assert "TypeError: Object of type set" in text
    assert slept == []


def test_a_worker_that_must_leave_does_not_wait_for_ever(tmp_path, storage):
    storage.open.clear()
    writer = BackgroundWriter()
    writer.write(pending(tmp_path, 1))
    writer.wait(0.01)
    assert checkpoint.names(tmp_path) == []
    storage.open.set()
    writer.wait()
    assert checkpoint.names(tmp_path) == ["epoch-000001"]


def test_nothing_is_written_below_a_storage_that_has_gone_away(tmp_path):
    gone = tmp_path / "mount" / "trials" / "0007"
    with pytest.raises(FileNotFoundError):
        checkpoint.save(gone, 1, pending(gone, 1).snapshot)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_half_checkpoint(tmp_path, monkeypatch):
    checkpoint.save(tmp_path, 1, pending(tmp_path, 1).snapshot)

    def full(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(tmp_path, 2, pending(tmp_path, 2).snapshot)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-000001"]
