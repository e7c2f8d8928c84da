"""Runs of trials that train together, with a real Ray: the results are those of a run of trials alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests.support.child_process import wait_until_gone
from tune_jobs.results import Status
from tune_jobs.results.models import best_weights
from tune_jobs.results.run import Run

TOP = Path(__file__).parents[2]
LAB = TOP / "tests" / "support" / "together_lab.py"
TOGETHER = ("--together", "4", "--max-concurrent", "4")
TIMEOUT_S = 300.0
ENDS = {"lasts": (Status.COMPLETED, 5), "wider": (Status.COMPLETED, 5), "ends": (Status.COMPLETED, 2)}
ENDS |= {"raises": (Status.FAILED, 1)}

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(find_spec("jax") is None, reason="jax is not installed"),
]


class Lab:
    """Runs of the lab's experiment in a folder.

    Args:
        folder: The folder for the runs.
        ray_folder: The folder for the files of Ray. Its path must be short.
    """

    def __init__(self, folder: Path, ray_folder: Path) -> None:
        self.folder = folder
        self.ray_folder = ray_folder
        self.processes = folder / "processes"
        self.processes.mkdir()

    def start(self, *words: str, epoch_s: float = 0.0) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(TOP), "CUDA_VISIBLE_DEVICES": ""}
        environment |= {"TOGETHER_LAB_EPOCH_S": str(epoch_s), "TOGETHER_LAB_PROCESSES": str(self.processes)}
        command = [sys.executable, "-m", "tune_jobs", *words, "--storage", str(self.folder)]
        with (self.folder / "output.txt").open("ab") as output:
            return subprocess.Popen(
                command, env={**environment, "RAY_TMPDIR": str(self.ray_folder)}, stdout=output, stderr=output
            )

    def tune(self, *words: str) -> None:
        assert self.start(*words).wait(TIMEOUT_S) == 0, (self.folder / "output.txt").read_text()[-3000:]

    def run(self, name: str) -> Run:
        return Run(self.folder / name)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + TIMEOUT_S
        while not is_so():
            assert time.monotonic() < deadline_s, (self.folder / "output.txt").read_text()[-3000:]
            time.sleep(0.05)

    def epochs(self, name: str) -> int:
        journal = self.folder / name / "journal.jsonl"
        return journal.read_text().count('"event": "epoch"') if journal.exists() else 0


@pytest.fixture
def lab(tmp_path: Path, ray_folder: Path) -> Lab:
    return Lab(tmp_path, ray_folder)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run of which each trial had a worker for itself."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as ray_folder:
        lab = Lab(tmp_path_factory.mktemp("alone"), Path(ray_folder))
        lab.tune("run", str(LAB), "--name", "alone")
    return lab.run("alone")


def assert_alike(mine: Run, other: Run) -> None:
    """Check that two runs have the same journal and leaderboard, and the same metrics and weights within rounding."""
    found, expected = mine.history().trials, other.history().trials
    assert len(expected) == 12
    assert found.keys() == expected.keys()
    for number, alone in expected.items():
        trial = found[number]
        assert (trial.status, len(trial.epochs)) == ENDS[trial.config["kind"]]
        assert (trial.config, trial.status, trial.reason, trial.error) == (
            alone.config,
            alone.status,
            alone.reason,
            alone.error,
        )
        assert [*trial.epochs] == [*alone.epochs]
        for epoch, same in alone.epochs.items():
            assert trial.epochs[epoch].metrics == pytest.approx(same.metrics, rel=1e-5, abs=1e-6)
        pair = best_weights(mine.folder, number), best_weights(other.folder, number)
        assert pair[0].epoch == pair[1].epoch
        for one, another in zip(pair[0].arrays, pair[1].arrays, strict=True):
            np.testing.assert_allclose(one, another, rtol=1e-4, atol=1e-5)
    boards = mine.leaderboard(), other.leaderboard()
    assert [*boards[0].index] == [*boards[1].index]
    assert [*boards[0].columns] == [*boards[1].columns]


@pytest.mark.slow
def test_trials_that_end_at_different_epochs_are_those_of_a_run_alone(lab: Lab, alone: Run) -> None:
    lab.tune("run", str(LAB), "--name", "together", *TOGETHER)
    assert_alike(lab.run("together"), alone)
    assert len([*lab.processes.iterdir()]) == 1


@pytest.mark.slow
def test_trials_whose_worker_was_killed_go_on_from_their_checkpoints(lab: Lab, alone: Run) -> None:
    child = lab.start("run", str(LAB), "--name", "shot", *TOGETHER, epoch_s=0.2)
    lab.wait_until(lambda: lab.epochs("shot") >= 14)
    (worker,) = lab.processes.iterdir()
    os.kill(int(worker.name), signal.SIGKILL)
    assert child.wait(TIMEOUT_S) == 0, (lab.folder / "output.txt").read_text()[-3000:]
    assert_alike(lab.run("shot"), alone)
    notes = [note.text for note in lab.run("shot").history().notes if "its worker died" in note.text]
    assert 2 <= len(notes) <= 4
    assert all("alone, and not counted as a retry" in note for note in notes)


@pytest.mark.slow
def test_a_run_that_was_interrupted_is_resumed(lab: Lab, alone: Run) -> None:
    child = lab.start("run", str(LAB), "--name", "cut", *TOGETHER, epoch_s=0.2)
    lab.wait_until(lambda: lab.epochs("cut") >= 14)
    child.send_signal(signal.SIGINT)
    child.wait(TIMEOUT_S)
    assert wait_until_gone(lab.ray_folder) == []
    assert Status.INTERRUPTED in {trial.status for trial in lab.run("cut").history().trials.values()}
    lab.tune("resume", "cut")
    assert_alike(lab.run("cut"), alone)
    assert len([*lab.processes.iterdir()]) == 2


@pytest.mark.slow
def test_a_run_of_trials_together_is_resumed_without(lab: Lab, alone: Run) -> None:
    lab.tune("run", str(LAB), "--name", "cut", *TOGETHER, "--total-epochs", "7")
    assert lab.epochs("cut") == 7
    lab.tune("resume", "cut", "--total-epochs", "100", "--together", "1")
    assert_alike(lab.run("cut"), alone)


def test_small_trials_together_in_one_process(lab: Lab) -> None:
    lab.tune("run", str(LAB), "--name", "small", *TOGETHER, "--trials", "5")
    trials = lab.run("small").history().trials.values()
    assert [(trial.status, len(trial.epochs)) for trial in trials] == [ENDS[trial.config["kind"]] for trial in trials]
    assert len([*lab.processes.iterdir()]) == 1
