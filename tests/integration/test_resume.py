"""A run whose driver is killed goes on as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.child_process import COMMAND, HANGS_S, tune_jobs, wait_until_gone
from tune_jobs.results import EpochReported, Status
from tune_jobs.results.run import Run

pytestmark = pytest.mark.integration
OPTIONS = (
    "--searcher",
    "random",
    "--scheduler",
    "none",
    "--trials",
    "4",
    "--max-epochs",
    "30",
    "--max-concurrent",
    "1",
)


def start(folder: Path, name: str, ray_folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "RAY_TMPDIR": str(ray_folder)}
    command = [COMMAND, "run", "signs.py", "--name", name, *OPTIONS]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)


@pytest.mark.usefixtures("warm")
def test_a_killed_run_is_resumed_and_extended(lab: Path, ray_folder: Path) -> None:
    child = start(lab, "killed-driver", ray_folder)
    journal = lab / "runs" / "killed-driver" / "journal.jsonl"
    deadline_s = time.monotonic() + HANGS_S
    while time.monotonic() < deadline_s and not (journal.exists() and '"trial": 1, "epoch": 5' in journal.read_text()):
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert wait_until_gone(ray_folder) == []
    with journal.open("a") as file:
        file.write('{"event": "epoch", "tri')  # as a machine that went down in the middle of a line leaves it
    before = Run(journal.parent).history()
    assert before.trials[0].status is Status.COMPLETED

    resumed = tune_jobs(lab, "resume", "killed-driver", RAY_TMPDIR=str(ray_folder))
    assert resumed.returncode == 0, resumed.stderr
    run = Run(journal.parent)
    history = run.history()
    assert [trial.status for trial in history.trials.values()] == [Status.COMPLETED] * 4
    assert [list(trial.epochs) for trial in history.trials.values()] == [list(range(1, 31))] * 4
    assert history.trials[0] == before.trials[0]
    reported = [(event.trial, event.epoch) for event in run.events() if isinstance(event, EpochReported)]
    assert len(reported) == len(set(reported))

    more = tune_jobs(lab, "resume", "killed-driver", "--trials", "5")
    assert more.returncode == 0, more.stderr
    rows = json.loads(tune_jobs(lab, "leaderboard", "killed-driver", "--format", "json").stdout)
    assert sorted(row["trial"] for row in rows) == [0, 1, 2, 3, 4]

    source = (lab / "signs.py").read_text()
    (lab / "signs.py").write_text(source.replace("Choice(2, 4)", "Choice(2, 8)"))
    refused = tune_jobs(lab, "resume", "killed-driver", "--trials", "9")
    (lab / "signs.py").write_text(source)
    assert refused.returncode == 2
    assert "The search space has changed: - units Choice 2, 4" in refused.stderr


@pytest.mark.usefixtures("warm")
def test_a_checkpoint_brings_back_the_epochs_that_the_journal_has_lost(lab: Path) -> None:
    options = ("--searcher", "random", "--scheduler", "none", "--trials", "1", "--max-epochs", "6")
    first = tune_jobs(lab, "run", "signs.py", "--name", "cut", *options)
    assert first.returncode == 0, first.stderr
    run = Run(lab / "runs" / "cut")
    whole = run.history().trials[0]
    journal = run.folder / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    third = next(index for index, line in enumerate(lines) if '"epoch": 3' in line)
    journal.write_text("".join(lines[: third + 1]))

    resumed = tune_jobs(lab, "resume", "cut")
    assert resumed.returncode == 0, resumed.stderr
    trial = run.history().trials[0]
    assert trial.status is Status.COMPLETED
    assert {number: (epoch.metrics, epoch.seconds) for number, epoch in trial.epochs.items()} == {
        number: (epoch.metrics, epoch.seconds) for number, epoch in whole.epochs.items()
    }
    assert run.curves().count(axis=1).tolist() == [6]
    assert "The journal lacked its epochs 4 to 5, which its checkpoint brought back." in resumed.stdout
