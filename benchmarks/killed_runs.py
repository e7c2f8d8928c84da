"""Every searcher and every scheduler on Fashion-MNIST: a run that is killed and resumed, beside an undisturbed one.

    KERAS_HOME=… python -m benchmarks.killed_runs [--only asha grid …] [--trials 6] [--epochs 3] [--json FILE]

Each run has one trial at a time, on a tenth of the images. The process of its driver gets SIGKILL when half of the
epochs of the undisturbed run are in its journal. When its Ray is gone, it is resumed. The runs are the same if all
trials have the same statuses, reasons and metrics of all epochs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import parser_of, write_figures
from tune_jobs.results import History
from tune_jobs.results.ranking import ranking
from tune_jobs.results.run import Run

EXPERIMENT = """
{imports}from ray.tune.search.hyperopt import HyperOptSearch
from ray.tune.search.optuna import OptunaSearch
from search_spaces import Choice, Fixed, Int, SearchSpace
from search_spaces.examples.fashion_mnist_mlp import SPACE
from tune_jobs import *
from trainables.examples.fashion_mnist_mlp import FashionMnistMlp

FINITE = SearchSpace(
    layers=Int(1, 2),
    units=Fixed(64).per("layers"),
    dropout=Fixed(0.1),
    optimizer=Choice("adam", "rmsprop"),
    learning_rate=Choice(0.001, 0.003),
    batch_size=Fixed(256),
)
FIRST = {{"layers": 1, "units": [64], "dropout": 0.1, "optimizer": "adam", "learning_rate": 0.001, "batch_size": 128}}
LATER = {{**FIRST, "learning_rate": 0.0003}}
EXPERIMENT = Experiment(
    trainable=FashionMnistMlp,
    space={space},
    objective=Objective("val_accuracy", "max"),
    searcher={searcher},
    scheduler={scheduler},
    trials={trials},
    max_epochs={epochs},
    max_concurrent_trials=1,
    fraction=0.1,
)
"""
SCHEDULERS = {
    "asha": "ASHA()",
    "asha-promotion": "PromotionASHA(reduction_factor=2)",
    "hyperband": "Hyperband()",
    "median": "MedianStopping(min_trials=2)",
    "population": "PopulationBased(interval=1)",
    "steps": "ConfigSteps(steps=((1, LATER),))",
    "none": "NoScheduler()",
}
"""The schedulers by name, each with random draws."""

SEARCHERS = {
    "foresight": "Foresight(startup_trials=2)",
    "hyperopt": "HyperOpt(startup_trials=2)",
    "bayesian": "Bayesian(startup_trials=2)",
    "random": "Random()",
    "grid": "Grid()",
    "sweep": "Sweep()",
    "optuna": "Optuna()",
    "ray-optuna": "RaySearcher(OptunaSearch(seed=0))",
    "ray-nevergrad": "RaySearcher(NevergradSearch(optimizer=nevergrad.optimizers.OnePlusOne))",
    "ray-hyperopt": "RaySearcher(HyperOptSearch(random_state_seed=0, n_initial_points=2))",
}
"""The searchers by name, each with ASHA; those of a finite space search one."""

FINITE = ("grid", "sweep")
TIMEOUT_S = 600


@dataclass(frozen=True)
class Pair:
    """An undisturbed run, and one that was killed and resumed.

    Attributes:
        name: The name of the searcher or scheduler.
        whole: What the undisturbed run came to.
        resumed: What the other one came to.
        killed_at: The number of epochs in the journal when the driver was killed.
    """

    name: str
    whole: Run
    resumed: Run
    killed_at: int

    def figures(self) -> dict[str, Any]:
        """Return the figures of both."""
        winners = [winner_of(run) for run in (self.whole, self.resumed)]
        return {
            "name": self.name,
            "epochs": epochs_of(self.whole.history()),
            "killed_at": self.killed_at,
            "winner": winners[0],
            "winner_resumed": winners[1],
            "is_same": outcome(self.whole.history()) == outcome(self.resumed.history()),
        }


def epochs_of(history: History) -> int:
    """Return the number of trained epochs of a run."""
    return sum(len(trial.epochs) for trial in history.trials.values())


def winner_of(run: Run) -> tuple[int, float]:
    """Return the best trial and its objective."""
    best = ranking(run.history(), run.objective)[0]
    value = best.best.metrics[run.objective.metric] if best.best else float("nan")
    return best.trial.trial, value


def outcome(history: History) -> dict[int, Any]:
    """Return all that can differ between two runs but times."""
    return {
        number: (trial.config, trial.status, trial.reason, [epoch.metrics for epoch in trial.epochs.values()])
        for number, trial in history.trials.items()
    }


def command_of(*arguments: str, folder: Path, ray_folder: Path) -> subprocess.Popen[bytes]:
    """Start the command line in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "tune_jobs", *arguments],
        cwd=folder,
        env={**os.environ, "RAY_TMPDIR": str(ray_folder)},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "stderr").open("ab"),
    )


def finish(child: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait for a command; raise an error with its output if it failed."""
    if child.wait(TIMEOUT_S):
        raise SystemExit((folder / "stderr").read_text()[-3000:])


def kill_at(child: subprocess.Popen[bytes], journal: Path, epochs: int) -> int:
    """Kill a run's driver once a number of epochs is in its journal; return the number that is there."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while child.poll() is None and time.monotonic() < deadline_s:
        if journal.exists() and journal.read_text().count('"event": "epoch"') >= epochs:
            break
        time.sleep(0.02)
    if child.poll() is not None:
        raise SystemExit(f"The run in {journal.parent} ended before it could be killed.")
    child.kill()
    child.wait()
    return epochs_of(Run(journal.parent).history())


def wait_until_gone(ray_folder: Path, timeout_s: float = 60.0) -> None:
    """Wait until no process of a Ray is left."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s and any(
        str(ray_folder) in " ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])
    ):
        time.sleep(0.2)


def pair_of(name: str, searcher: str, scheduler: str, trials: int, epochs: int) -> Pair:
    """Run an experiment undisturbed, and again with a kill.

    Args:
        name: The name of the searcher or scheduler.
        searcher: The searcher, as it is written in Python.
        scheduler: The scheduler, as it is written in Python.
        trials: The number of trials.
        epochs: The number of epochs of a trial.
    """
    folder = Path(tempfile.mkdtemp(prefix="killed-"))
    ray_folder = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))  # the path of a socket must be short
    space = "FINITE" if name in FINITE else "SPACE"
    imports = "import nevergrad\nfrom ray.tune.search.nevergrad import NevergradSearch\n" if "nevergrad" in name else ""
    (folder / "killed.py").write_text(
        EXPERIMENT.format(
            imports=imports, space=space, searcher=searcher, scheduler=scheduler, trials=trials, epochs=epochs
        )
    )
    try:
        finish(command_of("run", "killed.py", "--name", "whole", folder=folder, ray_folder=ray_folder), folder)
        whole = Run(folder / "runs" / "whole")
        half = epochs_of(whole.history()) // 2
        wait_until_gone(ray_folder)
        child = command_of("run", "killed.py", "--name", "killed", folder=folder, ray_folder=ray_folder)
        killed_at = kill_at(child, folder / "runs" / "killed" / "journal.jsonl", half)
        wait_until_gone(ray_folder)
        finish(command_of("resume", "killed", folder=folder, ray_folder=ray_folder), folder)
        wait_until_gone(ray_folder)
        return Pair(name, whole, Run(folder / "runs" / "killed"), killed_at)
    finally:
        shutil.rmtree(ray_folder, ignore_errors=True)


def main() -> None:
    """Make the pairs of runs, and print a line of each."""
    parser = parser_of(__doc__)
    methods = {**SCHEDULERS, **SEARCHERS}
    parser.add_argument("--only", nargs="+", choices=methods, default=list(methods), metavar="NAME")
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    rows = []
    print(
        "| searcher or scheduler | epochs | killed after | winner, undisturbed | winner, resumed | all epochs equal |"
    )
    print("|---|---|---|---|---|---|")
    for name in options.only:
        searcher, scheduler = ("Random()", SCHEDULERS[name]) if name in SCHEDULERS else (SEARCHERS[name], "ASHA()")
        pair = pair_of(name, searcher, scheduler, options.trials, options.epochs)
        row = pair.figures()
        cells = [f"trial {trial}, {value:.4f}" for trial, value in (row["winner"], row["winner_resumed"])]
        is_same = "yes" if row["is_same"] else "no"
        print(f"| {name} | {row['epochs']} | {row['killed_at']} | {cells[0]} | {cells[1]} | {is_same} |", flush=True)
        rows.append({**row, "folder": str(pair.whole.folder.parent)})
    write_figures(options, {"trials": options.trials, "epochs": options.epochs, "pairs": rows})


if __name__ == "__main__":
    main()
