"""The folder in which a driver works: where it lies, what is checked before, and its lock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from trainables.storage.object_store import ObjectStoreFolder
from tune_jobs.engine.run_folder.working_folder import locked, open_folder, prepare_storage, storage_problems
from tune_jobs.errors import RequestError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def remote(tmp_path: Path) -> ObjectStoreFolder:
    return ObjectStoreFolder((tmp_path / "bucket").as_uri(), "first")


def test_a_run_in_a_folder_has_no_mirror(tmp_path: Path) -> None:
    with open_folder(tmp_path, None) as working_folder:
        assert working_folder.mirror is None
        assert working_folder.trials == str(tmp_path / "trials")
        assert working_folder.shared == str(tmp_path)


def test_a_storage_is_tried_before_anything_is_begun(tmp_path: Path, remote: ObjectStoreFolder, cache: Path) -> None:
    storage = (tmp_path / "bucket").as_uri()
    assert storage_problems(storage, "first") == []
    assert list((tmp_path / "bucket").iterdir()) == []
    (tmp_path / "bucket" / "first").mkdir(parents=True)
    (tmp_path / "bucket" / "first" / "experiment.json").touch()
    (tmp_path / "bucket" / "group-1").mkdir()
    for name, said in (
        ("first", "'first' exists already in file:"),
        ("group", "'group', or repeats of it, exist already"),
    ):
        (problem,) = storage_problems(storage, name)
        assert said in problem
    (problem,) = storage_problems("nfs://server/runs", None)
    assert "nfs:// is no kind of storage that is known" in problem
    (problem,) = storage_problems("file:///dev/null/runs", "first")
    assert "it cannot be written" in problem
    assert "credentials" in problem
    (problem,) = storage_problems(storage, "a/b")
    assert "`name`" in problem


def test_the_copy_of_a_run_that_is_no_longer_there_makes_room(
    tmp_path: Path, remote: ObjectStoreFolder, cache: Path
) -> None:
    home, stored = prepare_storage(remote.root, "first")
    assert stored == remote
    assert home.is_relative_to(cache)
    assert prepare_storage(tmp_path, "first") == (tmp_path, None)
    (home / "first").mkdir(parents=True)
    assert prepare_storage(remote.root, "first") == (home, remote)
    assert not (home / "first").exists()
    assert list(home.iterdir()) == []


def test_a_second_driver_is_refused_and_a_dead_one_keeps_nothing(tmp_path: Path) -> None:
    hold = f"""
from pathlib import Path
import sys
from tune_jobs.engine.run_folder.working_folder import locked
with locked(Path({str(tmp_path)!r})):
    print("held", flush=True)
    sys.stdin.read()
"""
    holder = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RequestError, match="Another process"), locked(tmp_path):
        pass
    holder.kill()
    holder.wait()
    with locked(tmp_path):
        pass
