"""Repeats of a small experiment on a real Ray, resumed as a whole, and compared."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from child_process import tune_jobs, wait_until_gone

pytestmark = pytest.mark.integration
OPTIONS = ("--trials", "2", "--max-epochs", "2", "--max-concurrent", "1", "--repeats", "2")


def test_repeats_are_run_resumed_and_compared(lab: Path, ray_folder: Path) -> None:
    run = tune_jobs(lab, "run", "signs.py", "--name", "again", *OPTIONS, RAY_TMPDIR=str(ray_folder))
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert "run again-2 (repeat 2 of 2) in " in run.stdout
    assert "tune-jobs compare again ANOTHER" in run.stdout
    seeds = [json.loads((lab / "runs" / f"again-{n}" / "experiment.json").read_text())["seed"] for n in (1, 2)]
    assert seeds == [0, 1]

    shutil.rmtree(lab / "runs" / "again-2")
    whole = tune_jobs(lab, "resume", "again", RAY_TMPDIR=str(ray_folder))
    assert whole.returncode == 0, whole.stderr
    assert "again-1 (repeat" not in whole.stdout
    assert "again-2 (repeat 2 of 2)" in whole.stdout
    assert wait_until_gone(ray_folder) == []

    compared = tune_jobs(lab, "compare", "again-1", "again-2", "--format", "json")
    rows = json.loads(compared.stdout)
    assert [(row["run"], row["trials"]) for row in rows] == [("again-1", 2), ("again-2", 2)]
    assert rows[0]["config"] != rows[1]["config"]
