"""Two runs at once on one machine share it, and the one that goes on longer grows when the other has ended."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.child_process import COMMAND, HANGS_S
from tune_jobs.results import Noted
from tune_jobs.results.run import Run

pytestmark = pytest.mark.integration


def notes(folder: Path) -> list[str]:
    return [event.text for event in Run(folder).events() if isinstance(event, Noted)]


def test_two_runs_share_the_machine_and_the_second_grows_when_the_first_ends(lab: Path, tmp_path: Path) -> None:
    variables = {**os.environ, "TUNE_JOBS_SHARING": str(tmp_path)}
    slow = (lab / "signs.py").read_text().replace("return network(", "import time; time.sleep(1.5); return network(")
    folder = tmp_path / "lab"
    shutil.copytree(lab, folder)
    (folder / "slow.py").write_text(slow)
    first, second = (
        subprocess.Popen(
            [COMMAND, "run", "slow.py", "--name", name, "--trials", trials, "--max-epochs", "1"],
            cwd=folder,
            env=variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, trials in (("first", "6"), ("second", "10"))
    )
    for run in (first, second):
        _, errors = run.communicate(timeout=HANGS_S)
        assert run.returncode == 0, errors
    told = " ".join(notes(folder / "runs" / "first") + notes(folder / "runs" / "second"))
    assert "Other runs use this machine: one trial runs at a time" in told
    assert "Other runs leave more of this machine: 2 trials run side by side" in told
