"""Repeats of a small experiment on a real Ray, one after another in one process, and compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.child_process import tune_jobs, wait_until_gone
from tune_jobs.analysis.comparison import compare
from tune_jobs.results.find import find_runs

pytestmark = [pytest.mark.integration, pytest.mark.slow]
OPTIONS = ("--trials", "2", "--max-epochs", "2", "--max-concurrent", "1", "--repeats", "2")


def test_repeats_are_run_and_compared(lab: Path, ray_folder: Path) -> None:
    run = tune_jobs(lab, "run", "signs.py", "--name", "again", *OPTIONS, RAY_TMPDIR=str(ray_folder))
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert "run again-2 (repeat 2 of 2) in " in run.stdout
    assert "tune-jobs compare again ANOTHER" in run.stdout
    assert wait_until_gone(ray_folder) == []

    first, second = find_runs("again", lab / "runs")
    assert [first.experiment["seed"], second.experiment["seed"]] == [0, 1]
    table = compare([first, second]).table()
    assert list(table["trials"]) == [2, 2]
    assert table["config"][0] != table["config"][1]
