"""A signal that comes while Ray starts ends the run at once, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from child_process import COMMAND, wait_until_gone

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
    assert not (lab / "runs" / "early").exists()
    assert wait_until_gone(ray_folder) == []
    assert list(ray_folder.iterdir()) == []
