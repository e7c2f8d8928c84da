"""A disk that is really full, under a run's journal and its checkpoints."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path

import pytest

from tests.support.child_process import COMMAND, tune_jobs
from tune_jobs.results import EpochReported, Status
from tune_jobs.results.run import Run

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if not mount or not umount or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run([umount, str(place)], check=True)


def fill(disk: Path) -> None:
    """Takes all room, to the last byte."""
    with (disk / "ballast").open("ab", buffering=0) as file:
        for size in (65536, 1):
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                write_for_ever(file, bytes(size))


def write_for_ever(file: FileIO, block: bytes) -> None:
    while True:
        file.write(block)


def wait_until(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 150
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


@pytest.mark.timeout(400)
def test_a_run_waits_for_room_and_ends_without_a_loss_when_none_comes(lab: Path, ray_folder: Path, disk: Path) -> None:
    journal = disk / "runs" / "full" / "journal.jsonl"
    options = ["--scheduler", "none", "--searcher", "random", "--max-epochs", "10", "--max-concurrent", "1"]
    command = [COMMAND, "run", "signs.py", "--name", "full", "--storage", str(disk / "runs"), "--trials", "900"]
    environment = {**os.environ, "RAY_TMPDIR": str(ray_folder)}
    with subprocess.Popen([*command, *options], cwd=lab, env=environment, stderr=subprocess.PIPE, text=True) as child:
        wait_until(lambda: journal.exists() and '"trial_ended"' in journal.read_text())
        fill(disk)
        size = journal.stat().st_size
        time.sleep(3)
        (disk / "ballast").unlink()
        wait_until(lambda: journal.stat().st_size > size + 5000)
        assert child.poll() is None
        fill(disk)
        _, told = child.communicate(timeout=150)
    assert child.returncode == 1
    assert "The journal could not be written (No space left on device), so the run ended." in told
    before = Run(journal.parent).history()

    (disk / "ballast").unlink()
    trials = len(before.trials) + 1
    resumed = tune_jobs(lab, "resume", str(journal.parent), "--trials", str(trials), RAY_TMPDIR=str(ray_folder))
    assert resumed.returncode == 0, resumed.stderr
    run = Run(journal.parent)
    assert [trial.status for trial in run.history().trials.values()] == [Status.COMPLETED] * trials
    reported = [(event.trial, event.epoch) for event in run.events() if isinstance(event, EpochReported)]
    assert sorted(reported) == [(trial, epoch) for trial in range(trials) for epoch in range(1, 11)]
