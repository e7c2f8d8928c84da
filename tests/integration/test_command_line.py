"""The command line as a person uses it: child processes, real Ray, a real terminal."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path

import pandas as pd
import pexpect
import pytest

from tests.support.child_process import COMMAND, HANGS_S, tune_jobs, wait_until_gone

pytestmark = pytest.mark.integration

ORDERED = '''
"""Trials in a known order: the first one learns, all others learn nothing and are in an epoch for seconds."""

import time
from pathlib import Path

import keras
from search_spaces import Int, SearchSpace
from trainables import FitOptions
from tune_jobs import Experiment, Grid, NoScheduler, Objective
from parts import data
from signs import Signs


class Slow(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        Path(MARKER).touch()
        time.sleep(3)


class Ordered(Signs):
    def build_model(self, config):
        layer = keras.layers.Dense(2, kernel_initializer="zeros")
        model = keras.Sequential([keras.Input((4,)), layer])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.0 if config["number"] else 1.0), loss, metrics=["accuracy"])
        return model

    def fit_options(self, config):
        return FitOptions(callbacks=[Slow()] if config["number"] else [])


SPACE = SearchSpace(number=Int(0, 9))
EXPERIMENT = Experiment(
    Ordered, SPACE, Objective("val_accuracy", "max"), searcher=Grid(), scheduler=NoScheduler(), max_epochs=4
)
'''


def test_one_file_outside_the_repository_runs_by_its_path(lab: Path, ray_folder: Path) -> None:
    run = tune_jobs(lab, "run", "signs.py", "--name", "first", "--max-concurrent", "1", RAY_TMPDIR=str(ray_folder))
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert "trial 2 " in run.stdout
    assert "tune-jobs leaderboard first" in run.stdout
    assert wait_until_gone(ray_folder) == []
    assert list(ray_folder.iterdir()) == []

    board = tune_jobs(lab, "leaderboard", "first", "--format", "json")
    rows = json.loads(board.stdout)
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert {row["units"] for row in rows} <= {2, 4}
    assert tune_jobs(lab, "leaderboard", "runs/first", "--output", "board.parquet").returncode == 0
    assert pd.read_parquet(lab / "board.parquet")["units"].dtype == "Int64"
    csv = tune_jobs(lab, "leaderboard", "first", "--format", "csv", "--top", "2").stdout
    assert len(pd.read_csv(io.StringIO(csv))) == 2
    assert "first" in tune_jobs(lab, "runs").stdout

    again = tune_jobs(lab, "run", "signs.py", "--name", "first")
    assert (again.returncode, again.stdout) == (2, "")
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("file", "told"),
    [("uncompiled.py", "is not compiled"), ("misnamed.py", "(accuracy, loss, val_accuracy, val_loss)")],
)
@pytest.mark.usefixtures("warm")
def test_a_mistake_that_shows_at_the_first_epoch_leaves_nothing_behind(lab: Path, file: str, told: str) -> None:
    run = tune_jobs(lab, "run", file, "--name", "wrong", "--max-concurrent", "1")
    assert run.returncode == 2
    assert told in run.stderr
    assert "Traceback" not in run.stdout + run.stderr
    assert not (lab / "runs" / "wrong").exists()


def on_a_terminal(lab: Path, name: str, ray_folder: Path) -> pexpect.spawn:
    """Start a run on a terminal; return when one trial is completed and the next one is in its first epoch."""
    marker = lab / f"{name} is in an epoch"
    (lab / "ordered.py").write_text(ORDERED.replace("MARKER", repr(str(marker))))
    arguments = ["run", "ordered.py", "--name", name, "--max-concurrent", "1"]
    environment = {**os.environ, "RAY_TMPDIR": str(ray_folder), "TERM": "xterm-256color"}
    child = pexpect.spawn(COMMAND, arguments, cwd=lab, env=environment, timeout=HANGS_S, dimensions=(40, 100))
    child.expect("completed")
    while not marker.exists():
        time.sleep(0.01)
    return child


def test_ctrl_c_ends_a_run_in_good_order(lab: Path, ray_folder: Path) -> None:
    child = on_a_terminal(lab, "interrupted", ray_folder)
    child.sendintr()
    child.expect("Interrupted: what was finished is kept")
    child.expect("tune-jobs resume interrupted")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert wait_until_gone(ray_folder) == []
    rows = json.loads(tune_jobs(lab, "leaderboard", "interrupted", "--format", "json").stdout)
    assert rows[0]["status"] == "completed"


def test_a_second_ctrl_c_ends_it_at_once(lab: Path, ray_folder: Path) -> None:
    child = on_a_terminal(lab, "killed", ray_folder)
    child.sendintr()
    while child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=0.2):
        child.sendintr()  # two signals at once are one, so a second one on a busy machine may be the third
    child.close()
    assert child.exitstatus == 130
    assert "run_ended" not in (lab / "runs" / "killed" / "journal.jsonl").read_text()  # it had no time to say so
    assert wait_until_gone(ray_folder) == []
    rows = json.loads(tune_jobs(lab, "leaderboard", "killed", "--format", "json").stdout)
    assert rows[0]["status"] == "completed"
