"""A sweep on a real Ray: its steps wait without losing workers, and a killed one goes on the same way."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.child_process import COMMAND, LAB, tune_jobs, wait_until_gone
from tune_jobs.analysis.sweep_path import sweep_path
from tune_jobs.results import Status
from tune_jobs.results.run import Run

pytestmark = [pytest.mark.integration, pytest.mark.slow]
# Every trial tells which worker it is in; those of the second step wait in their second epoch until they may go on.
DECLARED = """
import os, time
from pathlib import Path

import keras
from trainables import FitOptions


class Held(Signs):
    def build_model(self, config):
        with open("WORKERS", "a") as file:
            file.write(f"{os.getpid()}\\n")
        return super().build_model(config)

    def fit_options(self, config):
        def wait(epoch, logs=None):
            while epoch == 1 and config["rate"] != 0.1 and not Path("RELEASED").exists():
                time.sleep(0.05)

        return FitOptions(callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=wait)])


EXPERIMENT = Experiment(
    Held, SearchSpace(units=Choice(2, 4, 8), rate=Choice(0.1, 0.01, 0.001)), Objective("val_accuracy", "max"),
    searcher=Sweep(("units", "rate")), scheduler=NoScheduler(), max_epochs=3, max_concurrent_trials=2,
)
"""


def declare(lab: Path, workers: Path, released: Path) -> None:
    source, _, _ = LAB.replace("import Experiment", "import NoScheduler, Sweep, Experiment").partition("SPACE =")
    (lab / "steps.py").write_text(source + DECLARED.replace("WORKERS", str(workers)).replace("RELEASED", str(released)))


def killed_when_it_says(command: list[str], folder: Path, journal: Path, awaited: tuple[str, ...], **more: str) -> None:
    """Runs a command, and kills it when its journal has all of these."""
    child = subprocess.Popen(command, cwd=folder, env={**os.environ, **more}, stdout=subprocess.DEVNULL)
    deadline_s = time.monotonic() + 200
    try:
        while not (journal.exists() and all(event in journal.read_text() for event in awaited)):
            assert child.poll() is None, "it ended before"
            assert time.monotonic() < deadline_s, journal.read_text() if journal.exists() else "there is no journal"
            time.sleep(0.05)
    finally:
        child.kill()
        child.wait()


def test_a_killed_sweep_goes_on_the_same_way_and_keeps_its_workers(lab: Path, ray_folder: Path) -> None:
    workers, released = lab / "workers.txt", lab / "released"
    declare(lab, workers, released)
    journal = lab / "runs" / "steps" / "journal.jsonl"
    awaited = ('"trial": 3, "epoch": 1', '"trial": 4, "epoch": 1')
    begin = [COMMAND, "run", "steps.py", "--name", "steps"]
    killed_when_it_says(begin, lab, journal, awaited, RAY_TMPDIR=str(ray_folder))
    assert wait_until_gone(ray_folder) == []
    before = Run(journal.parent).history()
    assert [trial.status for trial in before.trials.values()] == [Status.COMPLETED] * 3 + [Status.RUNNING] * 2
    last_end_s = max(before.trials[number].ended_s for number in range(3))
    assert min(before.trials[number].started_s for number in (3, 4)) >= last_end_s
    pids = workers.read_text().split()
    assert len(pids) == 5
    assert len(set(pids)) == 2  # all five trials in two workers: none was lost at the end of the first step

    released.touch()
    resumed = tune_jobs(lab, "resume", "steps", RAY_TMPDIR=str(ray_folder))
    assert resumed.returncode == 0, resumed.stderr
    assert "next: tune-jobs path steps" in resumed.stdout
    run = Run(journal.parent)
    after = run.history()
    assert [trial.config for trial in after.trials.values()] == [trial.config for trial in before.trials.values()]
    assert [list(trial.epochs) for trial in after.trials.values()] == [[1, 2, 3]] * 5
    path = sweep_path(run)
    assert path[["state", "trials", "epochs"]].values.tolist() == [["done", 3, 9], ["done", 2, 6]]
    assert {after.trials[number].config["units"] for number in (3, 4)} == {path["winner"][0]["units"]}
