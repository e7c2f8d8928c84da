"""A sweep on a real Ray: its steps wait without losing workers, and a killed one goes on the same way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from child_process import COMMAND, LAB, tune_jobs, wait_until_gone

from tune_jobs.results import Status
from tune_jobs.results.run import Run

pytestmark = pytest.mark.integration
DECLARED = """
EXPERIMENT = Experiment(
    Signs, SearchSpace(units=Choice(2, 4, 8), rate=Choice(0.1, 0.01, 0.001)), Objective("val_accuracy", "max"),
    searcher=Sweep(("units", "rate")), scheduler=NoScheduler(), max_epochs=15, max_concurrent_trials=2,
)
"""


def declare(lab: Path) -> None:
    """Every trial's first step tells which worker it is in."""
    source, _, _ = LAB.replace("import Experiment", "import NoScheduler, Sweep, Experiment").partition("SPACE =")
    telling = "        import os; open(os.environ['WORKERS'], 'a').write(f'{os.getpid()}\\n')\n        return network("
    (lab / "steps.py").write_text(source.replace("        return network(", telling) + DECLARED)


def test_a_killed_sweep_goes_on_the_same_way_and_keeps_its_workers(lab: Path, ray_folder: Path) -> None:
    declare(lab)
    workers = lab / "workers.txt"
    environment = {"RAY_TMPDIR": str(ray_folder), "WORKERS": str(workers)}
    command = [COMMAND, "run", "steps.py", "--name", "steps"]
    child = subprocess.Popen(command, cwd=lab, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    journal = lab / "runs" / "steps" / "journal.jsonl"
    deadline_s = time.monotonic() + 200
    awaited = ('"trial": 3, "epoch": 2', '"trial": 4, "epoch": 2')
    while time.monotonic() < deadline_s:
        told = journal.read_text() if journal.exists() else ""
        if all(event in told for event in awaited):
            break
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert wait_until_gone(ray_folder) == []
    before = Run(journal.parent).history()
    assert [before.trials[number].status for number in range(3)] == [Status.COMPLETED] * 3
    assert max(trial.started_s for trial in before.trials.values()) > max(before.trials[n].ended_s for n in range(3))
    pids = workers.read_text().split()
    assert len(pids) == 5
    assert len(set(pids)) == 2  # all five trials in two workers: none was lost at the end of the first step

    resumed = tune_jobs(lab, "resume", "steps", **environment)
    assert resumed.returncode == 0, resumed.stderr
    assert "next: tune-jobs path steps" in resumed.stdout
    after = Run(journal.parent).history()
    assert {number: trial.config for number, trial in after.trials.items()} == {
        number: trial.config for number, trial in before.trials.items()
    }
    assert [list(trial.epochs) for trial in after.trials.values()] == [list(range(1, 16))] * 5
    path = json.loads(tune_jobs(lab, "path", "steps", "--format", "json").stdout)
    assert [(row["state"], row["trials"], row["epochs"]) for row in path] == [("done", 3, 45), ("done", 2, 30)]
    assert {config.config["units"] for config in after.trials.values() if config.trial > 2} == {
        path[0]["winner"]["units"]
    }
