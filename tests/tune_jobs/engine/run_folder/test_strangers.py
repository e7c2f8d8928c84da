"""Only our own is written and removed: a stranger's files and links in every folder of a run are counted afterwards."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests.support.fakes import experiment
from tests.support.strangers import Strangers
from trainables.storage.checkpoint import DiskCheckpoints, Snapshot
from trainables.storage.own_files import MARK_FILE, NotOurs, mark
from tune_jobs.engine.decisions.retention import RetentionPolicy
from tune_jobs.engine.on_ray.storage_check import SharedDisk
from tune_jobs.engine.run_folder.create import create_folder, update_record
from tune_jobs.engine.run_folder.recorder import CheckpointPruner, Recorder
from tune_jobs.engine.run_folder.removal import remove_run
from tune_jobs.engine.run_folder.working_folder import discard, locked, open_folder, prepare_storage
from tune_jobs.errors import RequestError
from tune_jobs.host.output import open_log, redirect_output
from tune_jobs.results import JournalWriter, Noted, evaluations
from tune_jobs.results.evaluations import Scores
from tune_jobs.results.layout import RAY_LOG
from tune_jobs.results.run import Run


def snapshot(epoch: int) -> Snapshot:
    return Snapshot({"epoch": epoch}, {"model/0000": np.zeros(2)})


def work_in(folder: Path) -> None:
    """Do everything that a driver and its workers do to the files of a run."""
    with open_folder(folder, None), redirect_output(folder / RAY_LOG):
        update_record(folder, Run(folder).experiment, experiment(trials=9))
        policy = RetentionPolicy("none", experiment().objective, lag=1)
        recorder = Recorder(folder, None, CheckpointPruner(policy, folder / "trials"))
        recorder.event(Noted(time_s=1.0, trial=None, text="said"))
        recorder.traceback(0, "Traceback")
        recorder.close()
        for epoch in (1, 2, 3, 4):
            DiskCheckpoints(folder / "trials" / "0000").save(snapshot(epoch))
        DiskCheckpoints(folder / "trials" / "0000").save_architecture("{}")
        DiskCheckpoints(folder / "trials" / "0000").remove_after(3)
        shared = SharedDisk(folder)
        shared.mark(".seen-0000", "tune-jobs asks")
        shared.unmark(".seen-0000")
    evaluations.write(folder, Scores(0, 1, 10, 1.0, {"loss": 0.5}), {})


def folders_in(folder: Path) -> list[Path]:
    return [folder, *(path for path in folder.rglob("*") if path.is_dir())]


@pytest.fixture
def strangers(tmp_path: Path) -> Strangers:
    return Strangers(tmp_path / "outside")


def test_a_run_among_a_strangers_files(tmp_path: Path, strangers: Strangers) -> None:
    storage = tmp_path / "runs"
    storage.mkdir()
    strangers.fill(storage, ".first.4711")
    folder = create_folder(storage, "first", experiment(), "mine")
    work_in(folder)
    for place in folders_in(folder):
        strangers.fill(place)
    work_in(folder)
    assert strangers.lost() == []
    assert strangers.beside(storage) == ["first"]
    assert strangers.beside(folder) == ["evaluations", "experiment.json", "journal.jsonl", "lock", "logs", "trials"]
    discard(folder, None)
    assert strangers.lost() == []
    assert strangers.beside(folder) == ["evaluations", "logs", "trials"]  # each holds something of the stranger
    assert strangers.beside(folder / "trials" / "0000") == ["epoch-000003"]
    create_folder(storage, "first", experiment(), "mine")  # a run that replaces the one which was removed
    work_in(folder)
    assert strangers.lost() == []


def test_a_run_without_a_stranger_is_removed_whole(tmp_path: Path) -> None:
    folder = create_folder(tmp_path, "first", experiment(), "mine")
    work_in(folder)
    remove_run(folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "place", ["lock", "experiment.json", "journal.jsonl", "warm_start.jsonl", ".lease", "logs/ray.log"]
)
@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe"])
def test_what_is_in_the_place_of_our_file_is_named_and_left(tmp_path: Path, place: str, kind: str) -> None:
    folder = create_folder(tmp_path / "runs", "first", experiment(), "mine")
    precious = tmp_path / "precious.txt"
    precious.write_text("precious")
    path = folder / place
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(precious if kind == "link" else tmp_path / "missing")
    with pytest.raises(RequestError, match="must be a file of the run itself, but it is a") as refusal, locked(folder):
        pass
    assert refusal.value.problems[0].startswith(f"{path} must")
    remove_run(folder)
    assert os.path.lexists(path)
    assert (precious.read_text(), (tmp_path / "missing").exists()) == ("precious", False)


@pytest.mark.parametrize("place", ["journal.jsonl", "logs/ray.log", "logs/evaluation.log"])
def test_nothing_is_appended_to_a_second_name_of_a_strangers_file(tmp_path: Path, place: str) -> None:
    folder = create_folder(tmp_path / "runs", "first", experiment(), "mine")
    precious = tmp_path / "precious.txt"
    precious.write_text("precious")
    path = folder / place
    path.parent.mkdir(exist_ok=True)
    path.hardlink_to(precious)
    if place != "logs/evaluation.log":
        with pytest.raises(RequestError, match=f"{path.name} must be .*, but it is a second name"), locked(folder):
            pass
    with pytest.raises(OSError, match="a second name"):
        JournalWriter(path)
    with pytest.raises(RequestError, match=f"The log .*{path.name} cannot be written: it is a second name"):
        open_log(path)
    remove_run(folder)
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("place", ["trials", "logs", "evaluations"])
def test_a_link_in_the_place_of_our_folder_is_not_followed(tmp_path: Path, place: str, strangers: Strangers) -> None:
    folder = create_folder(tmp_path / "runs", "first", experiment(), "mine")
    outside = tmp_path / "elsewhere"
    (outside / "0000" / "epoch-000001").mkdir(parents=True)
    strangers.fill(outside, "ray.log", "0000.json")
    strangers.fill(outside / "0000" / "epoch-000001", "state.json", "arrays.npz")
    if (folder / place).exists():
        (folder / place).rmdir()
    (folder / place).symlink_to(outside)
    with pytest.raises(RequestError, match=rf"{place} must be a folder of the run itself, but it is a link"):
        locked(folder).__enter__()
    remove_run(folder)
    assert strangers.lost() == []
    assert (folder / place).is_symlink()


def test_links_in_a_trials_folder_are_not_followed(tmp_path: Path, strangers: Strangers) -> None:
    folder = create_folder(tmp_path / "runs", "first", experiment(), "mine")
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    strangers.fill(outside, "state.json", "arrays.npz", "model.json", "error.txt")
    (folder / "trials" / "0000").symlink_to(outside)
    with pytest.raises(NotOurs, match="it is a link"):
        DiskCheckpoints(folder / "trials" / "0000").save(snapshot(1))
    policy = RetentionPolicy("none", experiment().objective, lag=1)
    recorder = Recorder(folder, None, CheckpointPruner(policy, folder / "trials"))
    recorder.traceback(0, "Traceback")
    own = DiskCheckpoints(folder / "trials" / "0001")
    own.save(snapshot(1))
    (own.folder / "epoch-000002").symlink_to(outside)
    (own.folder / "model.json").symlink_to(outside / "model.json")
    with pytest.raises(NotOurs, match="it is a link"):
        own.save(snapshot(2))
    own.save_architecture("{}")
    own.remove()
    remove_run(folder)
    assert strangers.lost() == []


def test_half_a_checkpoint_is_removed_only_if_it_is_marked_and_its_maker_is_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked, unmarked = tmp_path / ".epoch-000001.x", tmp_path / ".epoch-000001.4711"
    for folder in (marked, unmarked):
        folder.mkdir()
        (folder / "arrays.npz").touch()
    os.close(mark(marked, "unfinished checkpoint"))
    content = json.loads((marked / MARK_FILE).read_text())
    content["process"][1] = "1"  # a former process of the same number, which began at another time
    (marked / MARK_FILE).write_text(json.dumps(content))
    DiskCheckpoints(tmp_path).save(snapshot(2))
    assert not marked.exists()
    assert unmarked.exists()


def test_the_copy_of_a_run_in_the_cache_makes_room_but_not_what_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strangers: Strangers
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    storage = (tmp_path / "bucket").as_uri()
    local, _ = prepare_storage(storage, "first")
    folder = create_folder(local, "first", experiment(), "mine")
    work_in(folder)
    for place in (local, *folders_in(folder)):
        strangers.fill(place)
    prepare_storage(storage, "first")
    assert not (folder / "experiment.json").exists()
    assert strangers.lost() == []


def test_markers_of_killed_drivers_are_removed_by_their_content(tmp_path: Path) -> None:
    (tmp_path / ".seen-1").write_text(f"tune-jobs asks whether all nodes see this folder {'0' * 32}\n")
    (tmp_path / ".seen-2").write_text("I have seen this")
    SharedDisk(tmp_path).mark(".seen-3", "token")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".seen-2", ".seen-3"]
