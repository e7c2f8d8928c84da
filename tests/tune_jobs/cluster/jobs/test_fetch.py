"""A fetched run is the run of the cluster, brought up to date when it is fetched again, whole or not at all."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from pyarrow.fs import FileSystem

from tests.support.compared_runs import events_of, make_repeats, make_scored_run
from tests.support.fake_cluster import FakeServer
from trainables.storage import object_store as remote
from trainables.storage.checkpoint import DiskCheckpoints
from tune_jobs.cluster.jobs.fetch import put
from tune_jobs.cluster.jobs.job import Job
from tune_jobs.cluster.jobs.pack import files_of, main
from tune_jobs.cluster.jobs.parcel import pack, packed_in
from tune_jobs.cluster.jobs.state import ORIGIN, REFERENCE, RUN, STORAGE
from tune_jobs.errors import JobFailed, RequestError
from tune_jobs.experiment.origin import is_begun_here, origin_of
from tune_jobs.results.run import Run


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    return tmp_path / "cluster"


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    return tmp_path / "here"


def job_of(run: str, storage: Path | str, **more: str) -> Job:
    server = FakeServer()
    metadata = {RUN: run, STORAGE: str(storage), **more}
    return Job(server, server.jobs.submit_job(entrypoint="exec python -m tune_jobs", metadata=metadata, runtime_env={}))


def checkpoint(run: Run, trial: int, epoch: int, content: bytes = b"weights") -> Path:
    folder = run.folder / "trials" / f"{trial:04d}" / f"epoch-{epoch:06d}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state.json").write_text("{}")
    (folder / "arrays.npz").write_bytes(content)
    (folder.parent / "model.json").write_text("{}")
    return folder


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_fetched_run_has_the_leaderboard_of_the_run(cluster: Path, storage: Path) -> None:
    run = make_scored_run(cluster, "one")
    checkpoint(run, 1, 3)
    (run.folder / "logs").mkdir()
    (run.folder / "logs" / "ray.log").write_text("long")
    (run.folder / "lock").touch()
    (run.folder / "evaluations").mkdir()
    (run.folder / "evaluations" / "0001.json").write_text("{}")
    [fetched] = job_of("one", cluster).fetch(storage)
    assert fetched.leaderboard().equals(run.leaderboard())
    assert names(storage) == {
        "one/experiment.json",
        "one/journal.jsonl",
        "one/evaluations/0001.json",
        "one/trials/0001/model.json",
    }


def test_models_are_the_newest_checkpoint_of_each_trial(cluster: Path, storage: Path) -> None:
    run = make_scored_run(cluster, "one")
    for epoch in (3, 9):
        checkpoint(run, 1, epoch)
    job_of("one", cluster).fetch(storage, models=True)
    assert {name for name in names(storage / "one") if "epoch" in name} == {
        "trials/0001/epoch-000009/state.json",
        "trials/0001/epoch-000009/arrays.npz",
    }


def test_a_run_that_goes_on_is_fetched_again(cluster: Path, storage: Path) -> None:
    run = make_scored_run(cluster, "one", events=[])
    job = job_of("one", cluster)
    journal = run.folder / "journal.jsonl"
    whole = (make_scored_run(cluster, "other").folder / "journal.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    for count in range(len(lines)):
        journal.write_bytes(b"".join(lines[:count]) + lines[count][:9])
        [fetched] = job.fetch(storage)
        assert len(fetched.events()) == count
    (storage / "one" / "mine.txt").write_text("kept")
    journal.write_bytes(whole)
    assert len(job.fetch(storage)[0].events()) == len(lines)
    assert (storage / "one" / "mine.txt").read_text() == "kept"
    assert [path.name for path in storage.iterdir()] == ["one"]


def test_the_experiment_is_named_as_it_was_where_it_was_submitted(cluster: Path, storage: Path) -> None:
    make_scored_run(cluster, "one", reference="/tmp/ray/package/signs.py:EXPERIMENT")
    (storage.parent / "signs.py").write_text("")
    reference = f"{storage.parent / 'signs.py'}:EXPERIMENT"
    job = job_of("one", cluster, **{REFERENCE: reference, ORIGIN: origin_of(reference)})
    record = job.fetch(storage)[0].experiment
    assert record["reference"] == reference
    assert is_begun_here(record)
    job = job_of("one", cluster, **{REFERENCE: reference, ORIGIN: "0" * 64})
    assert not is_begun_here(job.fetch(storage)[0].experiment)


def test_repeats_are_fetched_together(cluster: Path, storage: Path) -> None:
    make_repeats(cluster, "group", [0.5, 0.6, 0.7])
    make_scored_run(cluster, "group-of-others")
    assert [run.name for run in job_of("group", cluster).fetch(storage)] == ["group-1", "group-2", "group-3"]


def test_another_run_of_that_name_is_left_alone(cluster: Path, storage: Path) -> None:
    make_scored_run(cluster, "one", created_s=2.0)
    mine = make_scored_run(storage, "one", created_s=3.0)
    before = {name: (storage / name).read_bytes() for name in names(storage)}
    with pytest.raises(RequestError, match="exists already and is something else"):
        job_of("one", cluster).fetch(storage)
    assert {name: (storage / name).read_bytes() for name in names(storage)} == before
    assert mine.experiment["created_s"] == 3.0


def test_a_run_that_went_on_here_is_left_alone(cluster: Path, storage: Path) -> None:
    make_scored_run(cluster, "one", values=[0.1, 0.2])
    mine = make_scored_run(storage, "one", values=[0.1, 0.2, 0.9])
    with pytest.raises(RequestError, match="has gone on here"):
        job_of("one", cluster).fetch(storage)
    assert len(mine.history().trials) == 3


@pytest.mark.parametrize("way", ["a pipe", "a hole"])
def test_a_run_whose_journal_here_is_no_journal_is_left_alone(cluster: Path, storage: Path, way: str) -> None:
    make_scored_run(cluster, "one", values=[0.1, 0.2])
    journal = make_scored_run(storage, "one", values=[0.1]).folder / "journal.jsonl"
    if way == "a pipe":
        journal.unlink()
        os.mkfifo(journal)
    else:
        os.truncate(journal, 10 * 2**40)
    with pytest.raises(RequestError, match="has gone on here"):
        job_of("one", cluster).fetch(storage)


def test_of_repeats_none_is_put_when_one_cannot_be(cluster: Path, storage: Path) -> None:
    make_repeats(cluster, "group", [0.5, 0.6])
    make_scored_run(storage, "group-2", created_s=7.0)
    with pytest.raises(RequestError, match="something else"):
        job_of("group", cluster).fetch(storage)
    assert [path.name for path in storage.iterdir()] == ["group-2"]


def test_a_run_that_is_not_there_yet_is_told_in_the_words_of_the_head(cluster: Path, storage: Path) -> None:
    cluster.mkdir()
    job = job_of("one", cluster)
    with pytest.raises(JobFailed, match=r"cannot be fetched from the cluster: There is no run 'one'"):
        job.fetch(storage)
    assert list(job.server.jobs.details) == [job.id]  # the job that was to pack is gone
    assert not storage.exists() or not list(storage.iterdir())


def test_a_package_that_the_job_installed_is_there_to_pack(cluster: Path, storage: Path) -> None:
    make_scored_run(cluster, "one")
    job = job_of("one", cluster)
    job.server.jobs.details[job.id].runtime_env = {"pip": {"packages": ["tune-jobs"]}, "working_dir": "gcs://gone.zip"}
    job.fetch(storage)
    assert job.server.jobs.submitted[-1]["runtime_env"] == {"pip": {"packages": ["tune-jobs"]}}


def test_a_parcel_without_a_run_is_not_put(storage: Path) -> None:
    state = job_of("one", "/x").state()
    for files in ({}, {"one/journal.jsonl": b""}, {"one/experiment.json": b"[]"}):
        if not files:
            assert put(packed_in(pack(files)), state, storage) == []
            continue
        with pytest.raises(RequestError):
            put(packed_in(pack(files)), state, storage)
    with pytest.raises(RequestError, match="The cluster sent something that cannot be used"):
        put(b"nonsense", state, storage)
    assert list(storage.iterdir()) == []


def test_a_name_that_the_cluster_tells_leads_nowhere_else(tmp_path: Path, storage: Path) -> None:
    make_scored_run(tmp_path, "one")
    for name in ("../one", "..", "one/../../x", "/etc"):
        with pytest.raises((RequestError, JobFailed)):
            job_of(name, tmp_path).fetch(storage / "below")
    assert [path for path in tmp_path.iterdir() if path.name not in ("one", "here")] == []


def test_a_checkpoint_that_is_replaced_while_it_is_read_is_read_anew(
    cluster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_scored_run(cluster, "one")
    checkpoint(run, 1, 3)
    seen: list[object] = []

    def names(store: object) -> list[str]:
        seen.append(store)
        return ["epoch-000001"] if len(seen) == 1 else ["epoch-000003"]

    monkeypatch.setattr(DiskCheckpoints, "names", names)
    assert "one/trials/0001/epoch-000003/arrays.npz" in files_of(run, models=True)


def test_the_head_says_in_a_line_what_is_wrong(cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["none", "--storage", str(cluster)]) == 2
    assert re.fullmatch(r"Error: There is no run 'none'[^\n]*\n", capsys.readouterr().out)


def test_a_torn_journal_here_is_replaced_by_the_whole_one(cluster: Path, storage: Path) -> None:
    make_scored_run(cluster, "one")
    mine = make_scored_run(storage, "one", events=list(events_of((0.5, 0.9, 0.8)))[:4])
    with (mine.folder / "journal.jsonl").open("ab") as file:
        file.write(b'{"event": "tor')
    assert len(job_of("one", cluster).fetch(storage)[0].history().trials) == 3
    assert json.loads((storage / "one" / "experiment.json").read_text())["name"] == "one"
    assert Run(storage / "one").history().ended_s is not None


def test_a_run_in_a_bucket_is_fetched_from_there(
    cluster: Path, storage: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = make_scored_run(cluster, "one")
    checkpoint(run, 1, 3)
    opened = FileSystem.from_uri
    monkeypatch.setattr(remote, "_opened", lambda root: opened(root.replace("s3://bucket", cluster.as_uri())))
    job = job_of("one", "s3://bucket", **{REFERENCE: "lab/signs.py"})
    monkeypatch.setattr(job.server.jobs, "submit_job", None)  # no second job
    [fetched] = job.fetch(storage)
    assert fetched.leaderboard().equals(run.leaderboard())
    assert fetched.experiment["reference"] == "lab/signs.py"
    assert names(storage) == {"one/experiment.json", "one/journal.jsonl"}
    [fetched] = job.fetch(storage, models=True)
    assert "one/trials/0001/epoch-000003/arrays.npz" in names(storage)
    with pytest.raises(RequestError, match=r"s3://b is none"):
        job.fetch("s3://b")
