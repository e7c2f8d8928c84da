"""A run that learns from another, is killed, and goes on without the other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.child_process import COMMAND, tune_jobs, wait_until_gone
from tune_jobs.results import Noted, Status
from tune_jobs.results.run import Run

pytestmark = [pytest.mark.integration, pytest.mark.slow]
OPTIONS = ["--searcher", "hyperopt", "--scheduler", "none", "--max-epochs", "5", "--max-concurrent", "1"]


@pytest.mark.timeout(600)
def test_a_warm_run_is_resumed_when_the_old_one_is_gone(lab: Path, ray_folder: Path) -> None:
    environment = {"RAY_TMPDIR": str(ray_folder)}
    old = tune_jobs(lab, "run", "signs.py", "--name", "old", "--trials", "3", *OPTIONS, **environment)
    assert old.returncode == 0, old.stderr

    refused = tune_jobs(lab, "run", "signs.py", "--warm-start", "old", "--repeats", "2", **environment)
    assert refused.returncode == 2
    assert "--repeats tells what is luck" in refused.stderr

    journal = lab / "runs" / "warm" / "journal.jsonl"
    command = [COMMAND, "run", "signs.py", "--name", "warm", "--warm-start", "old", "--trials", "90", *OPTIONS]
    with subprocess.Popen(command, cwd=lab, env={**os.environ, **environment}, stdout=subprocess.DEVNULL) as child:
        deadline_s = time.monotonic() + 150
        while not (journal.exists() and '"trial_ended"' in journal.read_text()) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        child.kill()
    assert wait_until_gone(ray_folder) == []
    shutil.rmtree(lab / "runs" / "old")

    trials = len(Run(journal.parent).history().trials) + 1
    resumed = tune_jobs(lab, "resume", "warm", "--trials", str(trials), **environment)
    assert resumed.returncode == 0, resumed.stderr
    run = Run(journal.parent)
    assert [trial.status for trial in run.history().trials.values()] == [Status.COMPLETED] * trials
    notes = [event.text for event in run.events() if isinstance(event, Noted) and event.trial is None]
    assert notes == ["warm start from old: 3 of 3 results used"]
    asked = json.loads((journal.parent / "experiment.json").read_text())
    assert asked["warm_start"] == [{"run": "old", "trials": [0, 1, 2], "of": 3, "dropped": {}}]
