"""A checkpoint is written whole or not at all, and reading a damaged or hostile one harms nobody."""

from __future__ import annotations

import copy
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainables.storage import checkpoint
from trainables.storage.checkpoint import CheckpointError, DiskCheckpoints, Snapshot


def snapshot(epoch: int) -> Snapshot:
    arrays = {**checkpoint.numbered("model", [np.arange(12.0).reshape(3, 4), np.array(epoch)])}
    return Snapshot({"epoch": epoch, "last": {"val_loss": float("nan")}}, arrays)


def save(folder: Path, *epochs: int) -> None:
    for epoch in epochs:
        DiskCheckpoints(folder).save(snapshot(epoch))


def newest(folder: Path) -> Snapshot:
    snapshot = DiskCheckpoints(folder).newest()
    assert snapshot is not None
    return snapshot


def newest_epoch(folder: Path) -> int | None:
    snapshot = DiskCheckpoints(folder).newest()
    return None if snapshot is None else snapshot.epoch


class Bomb:
    """Unpickling it leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = str(trace)

    def __reduce__(self) -> Any:
        return (Path.touch, (Path(self.trace),))


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    assert DiskCheckpoints(tmp_path).save(snapshot(3)) == "epoch-000003"
    found = newest(tmp_path)
    np.testing.assert_equal(dict(found.state), snapshot(3).state)
    for array, expected in zip(found.group("model"), snapshot(3).group("model"), strict=True):
        np.testing.assert_array_equal(array, expected)


def test_a_group_keeps_its_order_beyond_ten_thousand() -> None:
    arrays = [np.array(index) for index in range(10_050)]
    found = Snapshot({}, {**checkpoint.numbered("model", arrays), "models/0000": np.array(-1)}).group("model")
    assert [int(array) for array in found] == list(range(10_050))


def test_two_are_kept(tmp_path: Path) -> None:
    save(tmp_path, 1, 2, 3, 10)
    assert DiskCheckpoints(tmp_path).names() == ["epoch-000010", "epoch-000003"]


def test_an_epoch_can_be_saved_again(tmp_path: Path) -> None:
    save(tmp_path, 1, 2, 2)
    assert DiskCheckpoints(tmp_path).names() == ["epoch-000002", "epoch-000001"]
    assert newest_epoch(tmp_path) == 2


def test_epochs_are_ordered_as_numbers(tmp_path: Path) -> None:
    save(tmp_path, 999_999, 1_000_000)
    assert newest_epoch(tmp_path) == 1_000_000


def test_a_trial_without_a_checkpoint_has_none(tmp_path: Path) -> None:
    assert DiskCheckpoints(tmp_path).newest() is None
    assert DiskCheckpoints(tmp_path / "missing").newest() is None


def test_a_crash_before_the_move_leaves_the_older_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 1)

    def crash(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            save(tmp_path, 2)
    assert newest_epoch(tmp_path) == 1
    assert len(list(tmp_path.iterdir())) == 2, "nothing was written before the crash"
    save(tmp_path, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-000001", "epoch-000003"]


@pytest.mark.parametrize("file", ["state.json", "arrays.npz"])
def test_a_missing_file_gives_the_older_checkpoint(tmp_path: Path, file: str) -> None:
    save(tmp_path, 1, 2)
    (tmp_path / "epoch-000002" / file).unlink()
    assert newest_epoch(tmp_path) == 1


@pytest.mark.parametrize("file", ["state.json", "arrays.npz"])
def test_a_torn_file_gives_the_older_checkpoint(tmp_path: Path, file: str) -> None:
    save(tmp_path, 1, 2)
    path = tmp_path / "epoch-000002" / file
    whole = path.read_bytes()
    for length in {0, 1, 10, len(whole) // 2, len(whole) - 1}:
        path.write_bytes(whole[:length])
        assert newest_epoch(tmp_path) == 1


@pytest.mark.parametrize("file", ["state.json", "arrays.npz"])
def test_damaged_bytes_raise_nothing_but_a_checkpoint_error(tmp_path: Path, file: str) -> None:
    save(tmp_path, 1)
    path = tmp_path / "epoch-000001" / file
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    refused = 0
    for _ in range(400):
        damaged = bytearray(whole)
        for position in generator.integers(len(whole), size=3):
            damaged[position] = generator.integers(256)
        path.write_bytes(damaged)
        try:
            checkpoint.read(path.parent)
        except CheckpointError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("state", ["[]", "7", "null", '"epoch"', "[" * 100_000, "\x00"])
def test_a_state_that_is_none_is_refused(tmp_path: Path, state: str) -> None:
    save(tmp_path, 1, 2)
    (tmp_path / "epoch-000002" / "state.json").write_text(state)
    assert newest_epoch(tmp_path) == 1


def _npy(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.arange(3))


def _empty_zip(path: Path) -> None:
    zipfile.ZipFile(path, "w").close()


def _foreign_member(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../escaped", "text")


def _huge_header(path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"
    header += b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/0000.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)


def _member(path: Path, content: bytes, compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("model/0000.npy", content)


def _packed(path: Path) -> None:
    _member(path, b"\0" * 10_000_000, zipfile.ZIP_DEFLATED)


def _many_in_one(path: Path) -> None:
    """Every member of the directory is the same piece of the file."""
    _member(path, b"\0" * 100_000)
    with zipfile.ZipFile(path, "a") as archive:
        first = archive.infolist()[0]
        for index in range(1, 200):
            again = copy.copy(first)
            again.filename = f"model/{index:04d}.npy"
            archive.filelist.append(again)
        archive.NameToInfo = {}
        archive._didModify = True  # noqa: SLF001 - zipfile writes no duplicate otherwise


def _nested_header(path: Path) -> None:
    header = b"-" * 9000 + b"1\n"
    _member(path, b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "write",
    [_npy, _foreign_member, _huge_header, _packed, _many_in_one, _nested_header, _link, _device, _pipe],
)
def test_other_files_than_ours_are_refused(tmp_path: Path, write: Callable[..., None]) -> None:
    save(tmp_path, 1, 2)
    write(tmp_path / "epoch-000002" / "arrays.npz")
    assert newest_epoch(tmp_path) == 1
    assert [path.name for path in tmp_path.rglob("*escaped*")] == []


def _pickled(path: Path, bomb: Bomb) -> None:
    path.write_bytes(pickle.dumps(bomb))


def _pickled_in_an_archive(path: Path, bomb: Bomb) -> None:
    with path.open("wb") as file:
        np.savez(file, **{"model/0000": np.array([bomb], dtype=object)}, allow_pickle=True)


@pytest.mark.parametrize("write", [_pickled, _pickled_in_an_archive])
def test_no_pickle_is_loaded(tmp_path: Path, write: Callable[..., None]) -> None:
    save(tmp_path, 1, 2)
    trace = tmp_path / "trace"
    write(tmp_path / "epoch-000002" / "arrays.npz", Bomb(trace))
    assert newest_epoch(tmp_path) == 1
    assert not trace.exists()


def test_no_pickle_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        checkpoint.write(tmp_path, Snapshot({}, {"model/0000": np.array([Bomb(tmp_path)], dtype=object)}))


def test_a_state_without_end_is_refused(tmp_path: Path) -> None:
    save(tmp_path, 1, 2)
    with (tmp_path / "epoch-000002" / "state.json").open("r+b") as file:
        file.truncate(2**40)
    assert newest_epoch(tmp_path) == 1


def test_who_continues_is_told_what_was_passed_over(tmp_path: Path) -> None:
    save(tmp_path, 1, 2)
    (tmp_path / "epoch-000002" / "state.json").write_text("{")
    skipped: list[CheckpointError] = []
    passed_over = DiskCheckpoints(tmp_path).newest(skipped.append)
    assert passed_over is not None
    assert passed_over.epoch == 1
    assert ["epoch-000002" in str(error) for error in skipped] == [True]


def test_links_are_no_checkpoints(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    save(outside, 1)
    (inside / "epoch-000009").symlink_to(outside / "epoch-000001")
    (tmp_path / "0000").symlink_to(outside)
    assert DiskCheckpoints(inside).names() == DiskCheckpoints(tmp_path / "0000").names() == []


def test_removing_leaves_only_what_is_none_of_a_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "0000"
    save(folder, 1, 2)
    DiskCheckpoints(folder).save_architecture("{}")
    (folder / "error.txt").write_text("why")
    DiskCheckpoints(folder).remove()
    assert [path.name for path in folder.iterdir()] == ["error.txt"]
    (folder / "error.txt").unlink()
    DiskCheckpoints(folder).remove()
    DiskCheckpoints(folder).remove()
    assert not folder.exists()


def test_a_file_in_a_checkpoints_place_is_passed_over(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "epoch-000007").write_text("not a directory")
    (tmp_path / "epoch-8").mkdir()
    (tmp_path / "epoch-000009.bak").mkdir()
    assert newest_epoch(tmp_path) == 1


def test_an_archive_without_arrays_is_read_as_such(tmp_path: Path) -> None:
    save(tmp_path, 1)
    _empty_zip(tmp_path / "epoch-000001" / "arrays.npz")
    assert newest(tmp_path).group("model") == []


def test_the_state_is_json(tmp_path: Path) -> None:
    save(tmp_path, 1)
    assert json.loads((tmp_path / "epoch-000001" / "state.json").read_text())["epoch"] == 1
