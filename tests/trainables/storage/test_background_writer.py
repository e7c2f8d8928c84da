"""Checkpoints are written beside the training, and a storage that refuses them is given a minute."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainables.storage.background_writer import BackgroundWriter, Pending
from trainables.storage.checkpoint import CheckpointError, DiskCheckpoints, Snapshot, ignore, numbered
from trainables.storage.layout import ARCHITECTURE_FILE
from trainables.storage.retry import DELAYS_S
from trainables.storage.store import CheckpointStore


class RefusingStore:
    """A store on disk that refuses so many times, and may be held."""

    def __init__(self, folder: Path) -> None:
        self.disk = DiskCheckpoints(folder)
        self.refusals = 0
        self.error: Exception = OSError(errno.ENOSPC, "No space left on device")
        self.tried: list[int] = []
        self.open = threading.Event()
        self.open.set()
        self.begun = threading.Event()

    def save(self, snapshot: Snapshot) -> str:
        self.tried.append(snapshot.epoch)
        self.begun.set()
        assert self.open.wait(60)
        if len(self.tried) <= self.refusals:
            raise self.error
        return self.disk.save(snapshot)

    def names(self) -> list[str]:
        return self.disk.names()

    def save_architecture(self, text: str) -> None:
        self.disk.save_architecture(text)

    def newest(
        self,
        skipped: Callable[[CheckpointError], object] = ignore,
        check: Callable[[Snapshot], object] = ignore,
    ) -> Snapshot | None:
        return self.disk.newest(skipped, check)

    def remove_after(self, epoch: int) -> None:
        self.disk.remove_after(epoch)

    def remove(self) -> None:
        self.disk.remove()


def pending(store: CheckpointStore, epoch: int, trial: int = 7) -> Pending:
    return Pending(trial, store, Snapshot({"epoch": epoch}, numbered("model", [np.full(3, epoch)])), '{"a": 1}')


def newest_state(store: CheckpointStore) -> Any:
    newest = store.newest()
    return None if newest is None else newest.state


@pytest.fixture
def store(tmp_path: Path) -> RefusingStore:
    return RefusingStore(tmp_path)


@pytest.fixture
def slept() -> list[float]:
    return []


def test_a_checkpoint_and_the_architecture_are_written(tmp_path: Path) -> None:
    writer = BackgroundWriter()
    writer.write(pending(DiskCheckpoints(tmp_path), 3))
    writer.wait()
    assert newest_state(DiskCheckpoints(tmp_path)) == {"epoch": 3}
    assert (tmp_path / ARCHITECTURE_FILE).read_text() == '{"a": 1}'
    assert writer.take_notes() == []


def test_of_those_that_wait_the_newest_is_written(store: RefusingStore) -> None:
    writer = BackgroundWriter()
    store.open.clear()
    writer.write(pending(store, 1))
    assert store.begun.wait(60)
    for epoch in (2, 3, 4):
        writer.write(pending(store, epoch))
    store.open.set()
    writer.wait()
    assert store.tried == [1, 4]
    assert newest_state(store) == {"epoch": 4}


def test_a_storage_that_comes_back_within_a_minute_gets_the_checkpoint(
    store: RefusingStore, slept: list[float]
) -> None:
    store.refusals = len(DELAYS_S)
    writer = BackgroundWriter(slept.append)
    writer.write(pending(store, 1))
    writer.wait()
    assert slept == list(DELAYS_S)
    assert 55 < sum(slept) < 65
    assert newest_state(store) == {"epoch": 1}
    assert writer.take_notes() == []


def test_a_newer_checkpoint_takes_the_place_of_one_that_is_refused(store: RefusingStore) -> None:
    store.refusals = 1
    writer = BackgroundWriter(lambda _: writer.write(pending(store, 2)))
    writer.write(pending(store, 1))
    writer.wait()
    assert store.tried == [1, 2]
    assert store.names() == ["epoch-000002"]


def test_a_storage_that_stays_full_is_noted_once_a_trial_and_given_no_other_minute(
    store: RefusingStore, slept: list[float]
) -> None:
    store.refusals = 100
    writer = BackgroundWriter(slept.append)
    for trial, epoch in ((7, 1), (7, 2), (7, 3), (8, 1)):
        writer.write(pending(store, epoch, trial))
        writer.wait()
    text = "the checkpoint of epoch 1 could not be written (No space left on device); it goes on without one"
    assert writer.take_notes() == [(7, text), (8, text)]
    assert writer.take_notes() == []
    assert slept == list(DELAYS_S)
    store.refusals = 0
    writer.write(pending(store, 2, 8))
    writer.wait()
    assert newest_state(store) == {"epoch": 2}


def test_what_no_waiting_can_mend_is_noted_at_once(store: RefusingStore, slept: list[float]) -> None:
    store.refusals, store.error = 1, TypeError("Object of type set is not JSON serializable")
    writer = BackgroundWriter(slept.append)
    writer.write(pending(store, 1))
    writer.wait()
    ((_, text),) = writer.take_notes()
    assert "TypeError: Object of type set" in text
    assert slept == []


def test_a_worker_that_must_leave_does_not_wait_for_ever(store: RefusingStore) -> None:
    store.open.clear()
    writer = BackgroundWriter()
    writer.write(pending(store, 1))
    writer.wait(0.01)
    assert store.names() == []
    store.open.set()
    writer.wait()
    assert store.names() == ["epoch-000001"]


def test_nothing_is_written_below_a_storage_that_has_gone_away(tmp_path: Path) -> None:
    gone = DiskCheckpoints(tmp_path / "mount" / "trials" / "0007")
    with pytest.raises(FileNotFoundError):
        gone.save(pending(gone, 1).snapshot)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_half_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DiskCheckpoints(tmp_path)
    store.save(pending(store, 1).snapshot)

    def full(file: Any, **arrays: Any) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        store.save(pending(store, 2).snapshot)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-000001"]
