"""What comes while Ray starts, a signal or a mistake in the data, ends the run at once, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import textwrap
import time
from pathlib import Path

import pytest

from tests.support.child_process import COMMAND, LAB, tune_jobs, wait_until_gone

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_ray_starts(lab: Path, ray_folder: Path, number: signal.Signals) -> None:
    environment = {**os.environ, "RAY_TMPDIR": str(ray_folder)}
    command = [COMMAND, "run", "signs.py", "--name", "early"]
    with subprocess.Popen(command, cwd=lab, env=environment, stderr=subprocess.PIPE, text=True) as child:
        deadline_s = time.monotonic() + 120
        while not list(ray_folder.glob("tune-jobs-*/session_*")) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        child.send_signal(number)
        _, told = child.communicate(timeout=120)
    assert (child.returncode, told) == (130, "Interrupted.\n")
    _nothing_is_left(lab / "runs" / "early", ray_folder)


def test_a_signal_while_the_data_is_loaded(lab: Path, ray_folder: Path) -> None:
    loading = "import pathlib, time\n        pathlib.Path('loading').touch()\n        time.sleep(100)"
    (lab / "slow.py").write_text(textwrap.dedent(LAB.replace("return data()", loading)))
    environment = {**os.environ, "RAY_TMPDIR": str(ray_folder)}
    command = [COMMAND, "run", "slow.py", "--name", "slow"]
    with subprocess.Popen(command, cwd=lab, env=environment, stderr=subprocess.PIPE, text=True) as child:
        deadline_s = time.monotonic() + 120
        while not (lab / "loading").exists() and time.monotonic() < deadline_s:
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=60)
    assert (child.returncode, told) == (130, "Interrupted.\n")
    _nothing_is_left(lab / "runs" / "slow", ray_folder)


def test_a_mistake_in_the_data(lab: Path, ray_folder: Path) -> None:
    (lab / "lost.py").write_text(textwrap.dedent(LAB.replace("return data()", "raise ValueError('no such file')")))
    run = tune_jobs(lab, "run", "lost.py", "--name", "lost", RAY_TMPDIR=str(ray_folder))
    assert (run.returncode, run.stderr) == (2, "Error: Signs.load_data raised ValueError: no such file\n")
    _nothing_is_left(lab / "runs" / "lost", ray_folder)


def _nothing_is_left(run: Path, ray_folder: Path) -> None:
    assert not run.exists()
    assert wait_until_gone(ray_folder) == []
    assert list(ray_folder.iterdir()) == []
