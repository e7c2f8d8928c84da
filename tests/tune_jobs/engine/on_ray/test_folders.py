"""The folder that Ray writes into: found, marked, and removed, and nothing else is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.strangers import Strangers
from trainables.storage.own_files import MARK_FILE
from tune_jobs.engine.on_ray import folders
from tune_jobs.engine.on_ray.folders import ray_folder, remove_abandoned_folders
from tune_jobs.errors import RequestError


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr(folders, "_SOCKET_BYTES", 10_000)
    return tmp_path


def left_by_a_killed_driver(parent: Path) -> Path:
    """Return a folder whose maker is gone: the lock is that of a descriptor which is closed, and the mark stays."""
    with ray_folder() as folder:
        aside = parent / "aside"
        folder.rename(aside)
    aside.rename(folder)
    return folder


def test_what_killed_drivers_left_is_removed_and_what_lives_is_not(parent: Path) -> None:
    abandoned = left_by_a_killed_driver(parent)
    (abandoned / "session" / "sockets").mkdir(parents=True)
    with ray_folder() as alive:
        assert not abandoned.exists()
        remove_abandoned_folders(parent)
        assert list(parent.iterdir()) == [alive]
    assert list(parent.iterdir()) == []


def test_what_others_have_there_stays_whatever_its_name_is(parent: Path, tmp_path: Path) -> None:
    abandoned = left_by_a_killed_driver(parent)
    strangers = Strangers(tmp_path / "outside")
    run = parent / "tune-jobs-first"  # a run that is stored here
    run.mkdir()
    (run / "lock").touch()
    copy = parent / "tune-jobs-copy"
    shutil.copytree(abandoned, copy)  # with its mark
    linked = parent / "tune-jobs-link"
    linked.symlink_to(abandoned)
    with_linked_mark = parent / "tune-jobs-linked-mark"
    with_linked_mark.mkdir()
    (with_linked_mark / MARK_FILE).symlink_to(abandoned / MARK_FILE)
    piped = parent / "tune-jobs-piped"
    piped.mkdir()
    os.mkfifo(piped / MARK_FILE)
    for folder in (parent, run, copy, with_linked_mark, piped):
        strangers.fill(folder)
    linked.unlink()
    with ray_folder():
        pass
    assert not abandoned.exists()
    assert strangers.lost() == []
    assert (run / "lock").exists()


def test_a_folder_of_another_owner_is_not_ours(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    abandoned = left_by_a_killed_driver(parent)
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    remove_abandoned_folders(parent)
    assert abandoned.exists()


def test_a_long_or_odd_path_is_reached_by_a_short_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = tmp_path / "a folder: of 'Zoë' 数据"
    odd.mkdir()
    monkeypatch.setenv("RAY_TMPDIR", str(odd))
    with ray_folder() as folder:
        assert len(str(folder)) < 30
        (folder / "file").touch()
        (real,) = odd.iterdir()
        assert (real / "file").exists()
    assert not folder.parent.exists()
    assert list(odd.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", "/dev/null/tmp")
    with pytest.raises(RequestError, match=r"none can be made in /dev/null/tmp \(Not a directory\): set RAY_TMPDIR to"):
        ray_folder().__enter__()


def test_without_tmp_another_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setattr(folders, "_SHORT_FOLDERS", ("/dev/null/tmp", str(tmp_path)))
    with ray_folder() as folder:
        assert folder.parent == tmp_path


def test_what_rays_agents_write_while_it_is_removed_is_removed_too(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove, late = shutil.rmtree, iter("ab")

    def with_an_agent(folder: Path, **options: bool) -> None:
        remove(folder, **options)
        if name := next(late, ""):
            (folder / "session").mkdir(parents=True)
            (folder / "session" / name).touch()

    monkeypatch.setattr(folders, "_PAUSES_S", (0.0, 0.0, 0.0, 0.0))
    with ray_folder():
        monkeypatch.setattr(shutil, "rmtree", with_an_agent)
    assert list(parent.iterdir()) == []
