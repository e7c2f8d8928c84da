"""Checkpoints have one contract, wherever they lie; a worker that does not see the run's folder says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainables.storage.checkpoint import CheckpointError, DiskCheckpoints, Snapshot, numbered
from trainables.storage.layout import ARCHITECTURE_FILE, ARRAYS_FILE
from trainables.storage.object_store_checkpoints import ObjectStoreCheckpoints
from trainables.storage.retry import DELAYS_S
from trainables.storage.store import CheckpointStore, checkpoint_store, require


def snapshot(epoch: int) -> Snapshot:
    return Snapshot({"epoch": epoch}, numbered("model", [np.full(3, epoch)]))


@pytest.fixture(params=["path", "URI"])
def trials(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The location of the folder of all trials, which lies in ``tmp_path``."""
    return str(tmp_path) if request.param == "path" else tmp_path.as_uri()


@pytest.fixture
def store(trials: str) -> CheckpointStore:
    return checkpoint_store(trials, 7)


def test_the_location_tells_the_kind_of_store(tmp_path: Path) -> None:
    assert isinstance(checkpoint_store(str(tmp_path), 7), DiskCheckpoints)
    assert isinstance(checkpoint_store(tmp_path.as_uri(), 7), ObjectStoreCheckpoints)


def test_its_text_is_the_folder_of_the_trial(trials: str, store: CheckpointStore) -> None:
    assert str(store) == f"{trials}/0007"


class TestEveryStore:
    """The contract of ``CheckpointStore``."""

    def test_a_trial_without_a_checkpoint_has_none(self, store: CheckpointStore) -> None:
        assert store.newest() is None
        assert store.names() == []

    def test_the_newest_two_are_kept_and_the_newest_is_read(self, store: CheckpointStore) -> None:
        assert [store.save(snapshot(epoch)) for epoch in (1, 3, 9)][-1] == "epoch-000009"
        assert store.names() == ["epoch-000009", "epoch-000003"]
        newest = store.newest()
        assert newest is not None
        assert newest.epoch == 9
        np.testing.assert_array_equal(newest.group("model")[0], np.full(3, 9))

    def test_an_epoch_can_be_saved_again(self, store: CheckpointStore) -> None:
        for epoch in (1, 2, 2):
            store.save(snapshot(epoch))
        assert store.names() == ["epoch-000002", "epoch-000001"]

    def test_a_damaged_checkpoint_is_passed_over_and_told(self, store: CheckpointStore, tmp_path: Path) -> None:
        store.save(snapshot(3))
        store.save(snapshot(9))
        (tmp_path / "0007" / "epoch-000009" / ARRAYS_FILE).write_bytes(b"PK")
        skipped: list[CheckpointError] = []
        newest = store.newest(skipped.append)
        assert newest is not None
        assert newest.epoch == 3
        assert [f"{store}/epoch-000009" in str(error) for error in skipped] == [True]

    def test_the_architecture_is_written_once(self, store: CheckpointStore, tmp_path: Path) -> None:
        store.save(snapshot(1))
        store.save_architecture("{}")
        store.save_architecture('{"other": 1}')
        assert (tmp_path / "0007" / ARCHITECTURE_FILE).read_text() == "{}"

    def test_removing_leaves_what_belongs_to_no_checkpoint(self, store: CheckpointStore, tmp_path: Path) -> None:
        store.save(snapshot(1))
        store.save_architecture("{}")
        (tmp_path / "0007" / "error.txt").write_text("why")
        store.remove()
        assert [path.name for path in (tmp_path / "0007").iterdir()] == ["error.txt"]
        assert store.newest() is None


class TestRequire:
    """The folder of all trials is waited for, for a minute."""

    def test_a_folder_that_is_there_or_not_needed_is_not_waited_for(self, trials: str) -> None:
        waited: list[float] = []
        require(None, waited.append)
        require(trials, waited.append)
        assert waited == []

    def test_a_folder_that_comes_back_is_waited_for(self, tmp_path: Path) -> None:
        folder = tmp_path / "mounted"

        require(str(folder), lambda seconds: folder.mkdir())
        assert folder.is_dir()

    def test_a_folder_that_stays_away_is_told(self, tmp_path: Path) -> None:
        waited: list[float] = []
        with pytest.raises(FileNotFoundError, match=r"does not see the run's folder .*: mount the storage there"):
            require(str(tmp_path / "away"), waited.append)
        assert tuple(waited) == DELAYS_S
