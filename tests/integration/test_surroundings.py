"""Runs in somebody's own program, in surroundings as containers and shared machines have them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.child_process import HANGS_S
from tests.support.strangers import Strangers

pytestmark = pytest.mark.integration

ODD = 'a folder: of "Zoë\'s" 数据, with a path that is too long for the sockets of Ray by far, and colons'


def test_a_run_leaves_a_program_as_it_was_however_it_ends(tmp_path: Path) -> None:
    """Its stdout has nothing but ``write``, its home cannot be written, and its temporary folder is long and odd."""
    odd = tmp_path / ODD
    odd.mkdir()
    (odd / "runs").mkdir()
    strangers = Strangers(tmp_path / "precious")
    for folder in (odd, odd / "runs"):
        strangers.fill(folder)
    environment = {
        **os.environ,
        "HOME": "/dev/null/home",
        "RAY_TMPDIR": str(odd),
        "KERAS_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(map(str, [Path(__file__).parents[2], tmp_path])),
    }
    del environment["PYTEST_CURRENT_TEST"]
    command = [sys.executable, "-m", "tests.support.surroundings", str(odd / "runs")]
    child = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=HANGS_S, check=False
    )
    assert child.returncode == 0, child.stderr
    answer = json.loads(child.stdout)
    assert answer["changed"] == {
        "ended": ["ended", {}],
        "RunFailed": ["RunFailed", {}],
        "KeyboardInterrupt": ["KeyboardInterrupt", {}],
    }
    assert answer["said"] == "".join(f"WARNING:root:said after {how}\n" for how in answer["changed"])
    assert answer["reason"] == "all trials"  # and not its time budget: the clock was set forward meanwhile
    assert strangers.lost() == []
    assert strangers.beside(odd) == ["runs"]
    assert strangers.beside(odd / "runs") == ["run0", "run1"]
