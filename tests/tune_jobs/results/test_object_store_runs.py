"""Runs in an object store are read like runs on disk, and hostile names in a bucket do no harm."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import numpy as np
import pytest

from tests.support.compared_runs import make_repeats, make_scored_run
from trainables.storage.checkpoint import Snapshot
from trainables.storage.object_store import ObjectStoreFolder
from trainables.storage.object_store_checkpoints import ObjectStoreCheckpoints
from tune_jobs.errors import RequestError
from tune_jobs.results import evaluations, models, object_store_runs
from tune_jobs.results.evaluations import Scores
from tune_jobs.results.find import find_run, find_runs, list_runs, load_run


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


def test_a_run_is_found_by_its_uri_or_by_its_name_in_a_storage(bucket: Path, cache: Path) -> None:
    made, uri = make_scored_run(bucket, "one"), bucket.as_uri()
    for run in (load_run(f"{uri}/one"), find_run(f"{uri}/one", "runs"), find_run("one", uri), *list_runs(uri)):
        assert run.leaderboard().equals(made.leaderboard())
        assert run.folder.is_relative_to(cache)
        assert (run.name, run.storage, run.location) == ("one", uri, f"{uri}/one")
        assert object_store_runs.shown_uri(run.folder) == f"{uri}/one"
        assert object_store_runs.shown_uri(run.folder.parent) == uri
    assert object_store_runs.shown_uri(bucket) is None
    with pytest.raises(RequestError, match=r"There is no run 'two', .* in file:.*bucket. There are: one"):
        find_run("two", uri)
    with pytest.raises(RequestError, match=r"bucket/two is no run's folder"):
        load_run(f"{uri}/two")


def test_repeats_are_found_by_the_name_of_their_group(bucket: Path) -> None:
    make_repeats(bucket, "group", [0.9, 0.8])
    make_scored_run(bucket, "group-x")
    assert [run.name for run in find_runs("group", bucket.as_uri())] == ["group-1", "group-2"]
    assert [run.name for run in find_runs(f"{bucket.as_uri()}/group", "runs")] == ["group-1", "group-2"]


def test_what_is_read_again_is_as_it_is_now(bucket: Path) -> None:
    made, uri = make_scored_run(bucket, "one"), f"{bucket.as_uri()}/one"
    evaluations.write(made.folder, Scores(0, 1, 10, 1.0, {"loss": 0.5}), {})
    folder = load_run(uri).folder
    assert (folder / "evaluations" / "0000.json").is_file()
    shutil.rmtree(made.folder / "evaluations")
    shutil.copy(make_scored_run(bucket / "other", "one").folder / "journal.jsonl", made.folder / "journal.jsonl")
    assert (load_run(uri).folder / "journal.jsonl").read_bytes() == (made.folder / "journal.jsonl").read_bytes()
    assert not (folder / "evaluations").exists()


def test_weights_come_when_they_are_needed_and_scores_go_where_the_run_lies(bucket: Path) -> None:
    made, uri = make_scored_run(bucket, "one"), f"{bucket.as_uri()}/one"
    trial = ObjectStoreFolder(bucket.as_uri(), "one/trials/0001")
    for epoch in (2, 5):
        ObjectStoreCheckpoints(trial).save(Snapshot({"epoch": epoch, "best_epoch": epoch}, {"best/0000": np.ones(3)}))
    ObjectStoreCheckpoints(trial).save_architecture("{}")
    run = load_run(uri)
    assert not models.has_weights(run.folder, 1)
    run.bring_weights()
    assert models.best_weights(run.folder, 1).epoch == 5
    assert sorted(path.name for path in (run.folder / "trials" / "0001").iterdir()) == ["epoch-000005", "model.json"]
    ObjectStoreCheckpoints(trial).save(Snapshot({"epoch": 7, "best_epoch": 7}, {"best/0000": np.ones(3)}))
    run.bring_weights()
    assert models.best_weights(run.folder, 1).epoch == 7
    assert not (run.folder / "trials" / "0001" / "epoch-000005").exists()
    run.publish(evaluations.write(run.folder, Scores(1, 7, 10, 1.0, {"loss": 0.5}), {}))
    assert (made.folder / "evaluations" / "0001.json").is_file()


def test_only_names_that_a_run_has_become_files(bucket: Path, tmp_path: Path) -> None:
    made = make_scored_run(bucket, "one")
    for name in (".bashrc", "trials/0001/epoch-000001/evil.py", "evaluations/x.json", "logs/a/b", "evil.json"):
        path = made.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("evil")
    run = load_run(f"{bucket.as_uri()}/one")
    run.bring_weights()
    object_store_runs.bring(ObjectStoreFolder(bucket.as_uri(), "one"), tmp_path / "all")
    for folder in (run.folder, tmp_path / "all"):
        names = {path.name for path in folder.rglob("*") if path.is_file()}
        assert names <= {"experiment.json", "journal.jsonl", "warm_start.jsonl"}
    with pytest.raises(RequestError, match="There is no run"):
        find_run(f"{bucket.as_uri()}/..", tmp_path)


def test_a_storage_that_cannot_be_read_says_so_without_its_credentials(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    def refuse(self: ObjectStoreFolder, *, recursive: bool) -> None:
        raise OSError("Could not connect")

    monkeypatch.setattr(ObjectStoreFolder, "_listed", refuse)
    for attempt in (load_run, lambda uri: find_run(uri, "runs"), lambda uri: list_runs(uri)):
        with pytest.raises(RequestError, match=r"^s3://bucket/runs\S* cannot be read \(Could not connect\)") as error:
            attempt("s3://key:hidden@bucket/runs/one")
        assert "hidden" not in str(error.value)
        assert "key:" not in str(error.value)
    assert not Path(cache).exists()


@pytest.mark.parametrize("home", ["/dev/null/home", None])
def test_without_a_home_copies_lie_in_a_folder_of_this_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if home is None:
        monkeypatch.setattr(Path, "home", unknown)
    else:
        monkeypatch.setenv("HOME", home)
    monkeypatch.setattr(object_store_runs, "_SHARED", tmp_path)
    assert object_store_runs.shown_uri(tmp_path / "elsewhere") is None
    assert list(tmp_path.iterdir()) == []
    copies = object_store_runs.local_storage("s3://bucket/runs", "read")
    (own,) = tmp_path.iterdir()
    assert copies.parents[2] == own
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    assert object_store_runs.shown_uri(copies / "first") == "s3://bucket/runs/first"
    own.chmod(0o777)
    with pytest.raises(RequestError, match=r"nor is .* yours alone \(others can write it\)\. Set XDG_CACHE_HOME"):
        object_store_runs.local_storage("s3://bucket/runs", "read")
    own.rmdir()
    own.symlink_to(tmp_path)
    with pytest.raises(RequestError, match="yours alone"):
        object_store_runs.local_storage("s3://bucket/runs", "read")
