"""The mirror of a run in an object store: one driver at a time, and nothing is lost, whatever dies meanwhile."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from trainables.storage.checkpoint import Snapshot
from trainables.storage.object_store import ObjectStoreFolder
from trainables.storage.object_store_checkpoints import ObjectStoreCheckpoints
from trainables.storage.retry import DELAYS_S
from tune_jobs.engine.run_folder.object_store_lease import LASTS_S, Lease, LeaseLost
from tune_jobs.engine.run_folder.object_store_mirror import (
    MIN_PAUSE_S,
    Mirror,
    bring_newer,
    forget_unreported,
    mirrored,
    pause_s,
)
from tune_jobs.engine.run_folder.working_folder import discard
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.results import EpochReported, History, RunStarted
from tune_jobs.results.history import TrialHistory
from tune_jobs.results.journal.lines import encode
from tune_jobs.results.layout import LEASE_FILE


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def remote(tmp_path: Path) -> ObjectStoreFolder:
    return ObjectStoreFolder((tmp_path / "bucket").as_uri(), "first")


RECORD = {"objective": {"metric": "loss", "mode": "min"}, "space": {}}
JOURNAL = encode(RunStarted(time_s=1.0, cpus=2, gpus=0, max_concurrent_trials=1)).decode()


def run_folder(path: Path, journal: str = JOURNAL, created_s: float = 1.0) -> Path:
    """Make a folder with the files of a run that the mirror looks at. Its journal may be any text."""
    (path / "trials").mkdir(parents=True)
    (path / "experiment.json").write_text(json.dumps({**RECORD, "created_s": created_s}))
    (path / "journal.jsonl").write_text(journal)
    (path / "lock").touch()
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run_folder(tmp_path / "mine")


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    send = ObjectStoreFolder.send

    def note(self: ObjectStoreFolder, name: str, path: Path) -> int:
        names.append(name)
        return send(self, name, path)

    monkeypatch.setattr(ObjectStoreFolder, "send", note)
    return names


def test_only_what_changed_is_sent_the_journal_last_and_not_too_often(
    folder: Path, remote: ObjectStoreFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, clock = sent(monkeypatch), Clock()
    (folder / "logs").mkdir()
    (folder / "logs" / "ray.log").write_text("x")
    lease = Lease(remote, folder)
    lease.take()
    mirror = Mirror(folder, remote, lease, clock=clock)
    mirror.round()
    assert names == ["experiment.json", "logs/ray.log", "journal.jsonl"]
    assert not {"lock", ".lease"} & set(remote.files())

    with (folder / "journal.jsonl").open("a") as file:
        file.write("two\n")
    mirror.round()
    assert len(names) == 3
    clock.now_s += MIN_PAUSE_S
    mirror.round()
    assert names[3:] == ["journal.jsonl"]
    assert remote.read("journal.jsonl").decode() == f"{JOURNAL}two\n"
    clock.now_s += MIN_PAUSE_S
    mirror.round()
    assert len(names) == 4


def test_a_long_journal_is_sent_seldom() -> None:
    assert pause_s(0) == pause_s(2**20) == MIN_PAUSE_S
    for sent_bytes in (10**7, 10**9):
        assert sent_bytes / pause_s(sent_bytes) <= 2**20


def test_weights_of_losers_are_deleted_there(folder: Path, remote: ObjectStoreFolder) -> None:
    trials = remote / "trials"
    with mirrored(folder, remote) as mirror:
        assert mirror.trials == trials.uri
        for trial in ("0000", "0001"):
            ObjectStoreCheckpoints(trials / trial).save(Snapshot({"epoch": 1}, {"model/0000": np.zeros(3)}))
        mirror.remove([1, 5])
    assert {name.split("/")[0] for name in trials.files()} == {"0000"}
    assert remote.read("journal.jsonl").decode() == JOURNAL
    assert LEASE_FILE not in remote.files()


class ImpatientEvent(threading.Event):
    """An event that notes how long it is waited for, and does not wait. It never looks set."""

    def __init__(self) -> None:
        super().__init__()
        self.delays_s: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.delays_s.append(timeout)
        return False


class Away:
    """An object store that takes nothing from some moment on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def go(self) -> None:
        def refuse(self: ObjectStoreFolder, name: str) -> None:
            raise OSError("curlCode: 7, Could not connect to server")

        self.monkeypatch.setattr(ObjectStoreFolder, "_output", refuse)


def test_an_outage_is_given_a_minute_and_then_ends_the_run(
    folder: Path, remote: ObjectStoreFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = Lease(remote, folder)
    lease.take()
    Away(monkeypatch).go()
    stop = ImpatientEvent()
    mirror = Mirror(folder, remote, lease, stop=stop)
    mirror.check()
    mirror.start()
    with pytest.raises(
        OSError, match=r"first has taken nothing for a minute: curlCode: 7, Could not connect to server"
    ):
        mirror.close()
    assert tuple(stop.delays_s) == DELAYS_S


def test_what_cannot_be_sent_in_the_end_is_told_with_its_place(
    folder: Path, remote: ObjectStoreFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tune_jobs.engine.run_folder.object_store_mirror.retry_for_a_minute", lambda attempt, sleep: attempt()
    )

    def run() -> None:
        with mirrored(folder, remote):
            Away(monkeypatch).go()

    with pytest.raises(RunFailed, match=r"first .*It is whole in .*mine: once the storage is back, resume the run"):
        run()
    assert (folder / "journal.jsonl").read_text() == JOURNAL


def test_two_drivers_one_run(folder: Path, remote: ObjectStoreFolder, tmp_path: Path) -> None:
    clock = Clock()
    clock.now_s = time.time()
    first, second = Lease(remote, folder, clock), Lease(remote, run_folder(tmp_path / "other"), clock)
    first.take()
    with pytest.raises(RequestError, match=r"Another process, on .*, works on the run .*bucket/first"):
        second.take()
    first.renew()
    clock.now_s = time.time() + LASTS_S + 2
    second.take()  # the first has not renewed it
    with pytest.raises(LeaseLost, match="has taken over the run"):
        first.renew()
    first.release()
    second.renew()
    second.release()
    assert LEASE_FILE not in remote.files()
    first.take()
    Lease(remote, folder, clock).take()  # who held it from this folder is dead, since the folder is ours


def test_a_driver_that_lost_its_lease_sends_nothing_more(
    folder: Path, remote: ObjectStoreFolder, tmp_path: Path
) -> None:
    lease = Lease(remote, folder)
    lease.take()
    mirror = Mirror(folder, remote, lease)
    thief = Lease(remote, run_folder(tmp_path / "other"), lambda: time.time() + 2 * LASTS_S)
    thief.take()
    mirror.start()
    with pytest.raises(OSError, match="has taken over"):
        mirror.close()
    assert list(remote.files()) == [LEASE_FILE]


@pytest.mark.parametrize(
    ("mine", "theirs", "same", "kept"),
    [
        ("a\nb\n", "a\n", True, "a\nb\n"),  # killed before the mirror sent the rest
        ("a\nb\n", "a\nb\ncc", True, "a\nb\n"),  # a torn line tells nothing
        ("a\n", "a\nb\n", True, "a\nb\n"),  # another machine went on
        ("a\nx\n", "a\nb\n", True, "a\nb\n"),
        ("a\nb\n", "a\n", False, "a\n"),  # the copy of another run, which had that name
        ("a\n", None, True, "a\n"),
        ("a\n", None, False, None),
        (None, "a\n", True, "a\n"),
    ],
)
def test_the_longer_journal_of_the_same_run_counts(
    tmp_path: Path, remote: ObjectStoreFolder, mine: str | None, theirs: str | None, same: bool, kept: str | None
) -> None:
    stored = run_folder(tmp_path / "bucket" / "first", theirs or "")
    if theirs is None:
        (stored / "journal.jsonl").unlink()
    here = tmp_path / "here"
    if mine is None:
        here.mkdir()
    else:
        run_folder(here, mine, 1.0 if same else 2.0)
    (stored / ".." / "evil").resolve().write_text("x")
    bring_newer(remote, here)
    journal = here / "journal.jsonl"
    assert (journal.read_text() if journal.exists() else None) == kept
    assert json.loads((here / "experiment.json").read_text())["created_s"] == 1.0
    assert (here / "trials").is_dir()


def test_checkpoints_that_the_journal_knows_nothing_of_are_forgotten(remote: ObjectStoreFolder) -> None:
    epochs = {1: EpochReported(time_s=2.0, trial=0, epoch=1, metrics={"loss": 0.5}, seconds=1.0)}
    history = History(trials={0: TrialHistory(0, {}, "host", 1.0, epochs=epochs)})
    trials = remote / "trials"
    for name in ("0000/epoch-000001", "0000/epoch-000002", "0000/epoch-000003", "0001/epoch-000001"):
        for file in ("arrays.npz", "state.json"):
            trials.write(f"{name}/{file}", b"x")
    trials.write("0001/error.txt", b"why")
    forget_unreported(remote, history)
    assert {name.rpartition("/")[0] for name in trials.files()} == {"0000/epoch-000001", "0000/epoch-000002", "0001"}


def test_nothing_is_left_of_a_run_that_never_began_unless_it_is_anothers(
    folder: Path, remote: ObjectStoreFolder, tmp_path: Path
) -> None:
    with mirrored(folder, remote):
        pass
    other = run_folder(tmp_path / "other")
    Lease(remote, other).take()
    discard(folder, remote)
    assert not folder.exists()
    assert LEASE_FILE in remote.files()
    remote.remove(LEASE_FILE)
    discard(other, remote)
    assert remote.files() == {}
