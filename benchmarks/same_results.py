"""Comparison of two states of the code: both run the same experiment, and the results must be equal.

    python -m benchmarks.same_results FOLDER [--trials 6] [--epochs 3]

FOLDER holds another state of this repository: ``git worktree add FOLDER COMMIT`` makes one. Both run ``digits_mlp``
with the same seed, random search and no scheduler. Configurations, metrics and weights must be equal to the last bit.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]

PROGRAM = """
import sys
import tune_jobs
from tune_jobs.examples.digits_mlp import EXPERIMENT
trials, epochs, storage = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
searcher, scheduler = tune_jobs.Random(), tune_jobs.NoScheduler()
budget = {"trials": trials, "max_epochs": epochs, "seed": 7, "keep": "all"}
tune_jobs.run(EXPERIMENT.override(searcher=searcher, scheduler=scheduler, **budget), storage=storage, name="same")
"""


def results(code: Path, trials: int, epochs: int) -> dict[str, Any]:
    """Run the experiment with the code of a folder.

    Args:
        code: A folder that holds the three packages.
        trials: Number of trials.
        epochs: Epochs of each trial.

    Returns:
        ``configs`` by trial, ``metrics`` by trial and epoch, and ``weights``: a digest of each checkpoint's arrays.

    Raises:
        subprocess.CalledProcessError: The run failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": str(code), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        command = [sys.executable, "-c", PROGRAM, str(trials), str(epochs), folder]
        subprocess.run(command, env=environment, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        run = Path(folder, "same")
        events = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
        return {
            "configs": {event["trial"]: event["config"] for event in events if "config" in event},
            "metrics": {f"{e['trial']}/{e['epoch']}": e["metrics"] for e in events if "metrics" in e},
            "weights": {str(path.relative_to(run)): _digest(path) for path in run.glob("trials/*/*/arrays.npz")},
        }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def main() -> None:
    """Print every difference, and exit with status 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="another state of this repository")
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    before, now = (results(code, options.trials, options.epochs) for code in (options.folder.resolve(), HERE))
    differing = [
        f"{kind} of {key}"
        for kind in before
        for key in before[kind] | now[kind]
        if before[kind].get(key) != now[kind].get(key)
    ]
    counts = ", ".join(f"{len(now[kind])} {kind}" for kind in now)
    if differing or not all(now.values()):
        sys.exit(f"Different ({counts}): {', '.join(differing) or 'one of them is empty'}")
    print(f"Equal to the last bit: {counts}")


if __name__ == "__main__":
    main()
