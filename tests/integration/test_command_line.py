"""The command line as a person uses it: child processes, real Ray, a real terminal."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pexpect
import psutil
import pytest

pytestmark = pytest.mark.integration

COMMAND = str(Path(sys.executable).with_name("tune-jobs"))
LAB = '''
"""Which network tells the sign of a sum?"""

from search_spaces import Choice, Float, SearchSpace
from trainables import KerasTrainable
from tune_jobs import Experiment, Objective
from parts import data, network


class Signs(KerasTrainable):
    def load_data(self):
        return data()

    def build_model(self, config):
        return network(config, compiled=COMPILED)


COMPILED = True
SPACE = SearchSpace(units=Choice(2, 4), rate=Float(1e-3, 1e-1, log=True))
EXPERIMENT = Experiment(Signs, SPACE, Objective("val_accuracy", "max"), trials=3, max_epochs=4)
'''
PARTS = """
import numpy as np
from trainables import Data


def data():
    x = np.random.default_rng(0).normal(size=(256, 4)).astype("float32")
    y = (x.sum(axis=1) > 0).astype("int32")
    return Data(train=(x[:192], y[:192]), validation=(x[192:], y[192:]))


def network(config, compiled):
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(config["units"]), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if compiled:
        model.compile(keras.optimizers.Adam(config["rate"]), loss, metrics=["accuracy"])
    return model
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside the repository with an experiment file and a module beside it."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "signs.py").write_text(textwrap.dedent(LAB))
    (folder / "uncompiled.py").write_text(textwrap.dedent(LAB.replace("COMPILED = True", "COMPILED = False")))
    (folder / "misnamed.py").write_text(textwrap.dedent(LAB.replace("val_accuracy", "val_acc")))
    (folder / "parts.py").write_text(PARTS)
    return folder


@pytest.fixture
def ray_folder() -> Iterator[Path]:
    """Where the child's Ray lives, so that its processes can be told from all others."""
    folder = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def tune_jobs(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def processes_in(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if str(folder) in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_until_gone(folder: Path, timeout_s: float = 30.0) -> list[psutil.Process]:
    deadline_s = time.monotonic() + timeout_s
    while (left := processes_in(folder)) and time.monotonic() < deadline_s:
        psutil.wait_procs(left, timeout=0.5)
    return left


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
def test_a_mistake_that_shows_at_the_first_epoch_leaves_nothing_behind(lab: Path, file: str, told: str) -> None:
    run = tune_jobs(lab, "run", file, "--name", "wrong", "--max-concurrent", "1")
    assert run.returncode == 2
    assert told in run.stderr
    assert "Traceback" not in run.stdout + run.stderr
    assert not (lab / "runs" / "wrong").exists()


def on_a_terminal(lab: Path, name: str, ray_folder: Path) -> pexpect.spawn:
    arguments = ["run", "signs.py", "--name", name, "--trials", "500", "--max-concurrent", "1", "--scheduler", "none"]
    environment = {**os.environ, "RAY_TMPDIR": str(ray_folder), "TERM": "xterm-256color"}
    child = pexpect.spawn(COMMAND, arguments, cwd=lab, env=environment, timeout=120, dimensions=(40, 100))
    child.expect("completed")
    return child


def test_ctrl_c_ends_a_run_in_good_order(lab: Path, ray_folder: Path) -> None:
    child = on_a_terminal(lab, "interrupted", ray_folder)
    child.sendintr()
    child.expect("Interrupted: what was finished is kept")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert wait_until_gone(ray_folder) == []
    rows = json.loads(tune_jobs(lab, "leaderboard", "interrupted", "--format", "json").stdout)
    assert rows[0]["status"] == "completed"


def test_a_second_ctrl_c_ends_it_at_once(lab: Path, ray_folder: Path) -> None:
    child = on_a_terminal(lab, "killed", ray_folder)
    child.sendintr()
    time.sleep(0.2)  # two signals at once are one
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert "run_ended" not in (lab / "runs" / "killed" / "journal.jsonl").read_text()  # it had no time to say so
    assert wait_until_gone(ray_folder) == []
    rows = json.loads(tune_jobs(lab, "leaderboard", "killed", "--format", "json").stdout)
    assert rows[0]["status"] == "completed"
