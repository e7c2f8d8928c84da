"""Schedulers with a real Ray: a run whose trials are paused and promoted is killed, and one run of each scheduler."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.child_process import COMMAND, HANGS_S, tune_jobs, wait_until_gone
from tune_jobs.results import EpochReported, History, Status, TrialPaused, TrialPromoted
from tune_jobs.results.layout import trial_folder
from tune_jobs.results.run import Run
from tune_jobs.schedulers import SCHEDULERS

pytestmark = pytest.mark.integration
OPTIONS = ("--searcher", "random", "--trials", "9", "--max-epochs", "9", "--max-concurrent", "1", "--keep", "2")


def board(folder: Path, name: str) -> list[dict[str, Any]]:
    rows = json.loads(tune_jobs(folder, "leaderboard", name, "--format", "json").stdout)
    return [{key: row[key] for key in ("rank", "trial", "status", "val_accuracy", "best_epoch")} for row in rows]


def outcome(history: History) -> dict[int, Any]:
    return {
        number: (trial.status, trial.reason, [epoch.metrics for epoch in trial.epochs.values()])
        for number, trial in history.trials.items()
    }


@pytest.mark.usefixtures("warm")
@pytest.mark.parametrize("scheduler", ["asha-promotion", pytest.param("population", marks=pytest.mark.slow)])
def test_a_killed_run_keeps_its_promotions_and_has_the_same_winner(scheduler: str, lab: Path, ray_folder: Path) -> None:
    options = ("--scheduler", scheduler, *OPTIONS)
    whole_name, killed_name = f"whole-{scheduler}", f"killed-{scheduler}"
    whole = tune_jobs(lab, "run", "digits_mlp", "--name", whole_name, *options)
    assert whole.returncode == 0, whole.stderr
    environment = {**os.environ, "RAY_TMPDIR": str(ray_folder)}
    command = [COMMAND, "run", "digits_mlp", "--name", killed_name, *options]
    child = subprocess.Popen(command, cwd=lab, env=environment, stdout=subprocess.DEVNULL)
    journal = lab / "runs" / killed_name / "journal.jsonl"
    deadline_s = time.monotonic() + HANGS_S
    while time.monotonic() < deadline_s and not (journal.exists() and "trial_promoted" in journal.read_text()):
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert wait_until_gone(ray_folder) == []
    run = Run(journal.parent)
    before = run.history()
    paused = [number for number, trial in before.trials.items() if trial.status is Status.PAUSED]
    assert paused
    assert all(list(trial_folder(run.folder, number).glob("epoch-*")) for number in paused)

    resumed = tune_jobs(lab, "resume", killed_name)
    assert resumed.returncode == 0, resumed.stderr
    undisturbed = Run(lab / "runs" / whole_name)
    assert outcome(run.history()) == outcome(undisturbed.history())
    assert board(lab, killed_name) == board(lab, whole_name)
    for kind in (EpochReported, TrialPaused, TrialPromoted):
        events = [[event for event in one.events() if isinstance(event, kind)] for one in (run, undisturbed)]
        assert [event.trial for event in events[0]] == [event.trial for event in events[1]]
    kept = [number for number in run.history().trials if list(trial_folder(run.folder, number).glob("epoch-*"))]
    assert sorted(kept) == sorted(row["trial"] for row in board(lab, killed_name)[:2])


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", sorted(SCHEDULERS.keys() - {"steps"}))
def test_each_scheduler_tunes_digits(scheduler: str, lab: Path, ray_folder: Path) -> None:
    options = ("--scheduler", scheduler, "--searcher", "random", "--trials", "8", "--max-epochs", "9")
    command = ("run", "digits_mlp", "--name", scheduler, *options)
    done = tune_jobs(lab, *command, timeout_s=600, RAY_TMPDIR=str(ray_folder))  # beside others it may take 200 s
    assert done.returncode == 0, done.stderr
    history = Run(lab / "runs" / scheduler).history()
    assert history.is_finished
    assert board(lab, scheduler)[0]["val_accuracy"] > 0.9
    assert {trial.status for trial in history.trials.values()} <= {Status.COMPLETED, Status.STOPPED}
    assert Status.COMPLETED in {trial.status for trial in history.trials.values()}
