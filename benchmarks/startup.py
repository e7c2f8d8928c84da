"""The time until the first epoch of `tune-jobs run digits_mlp` is reported: its parts, and its limit.

    python -m benchmarks.startup [--rounds 3] [--json FILE]

The run's own folder gives the parts: the times of its creation, of Ray's start and of the first worker's start. The
limit is measured beside it, in separate processes: `import tensorflow` plus `ray.init` plus three seconds.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KINDS = ("run_started", "trial_started", "epoch")
PARTS = ("command, imports, experiment", "data, Ray", "worker, TensorFlow", "model, first epoch")
RAY = "import ray; ray.init(address='local', num_cpus=2, include_dashboard=False, logging_level='ERROR')"
PROGRAMS = {"import tensorflow": "import tensorflow", "ray.init": RAY, "import ray": "import ray", "python": "pass"}


def seconds_of(*command: str) -> float:
    """Run a command, and return its wall time in seconds."""
    begun_s = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.monotonic() - begun_s


def parts_of_a_run(storage: Path) -> tuple[dict[str, float], float, Path]:
    """Run the experiment once.

    Returns:
        The parts of the time from the command to its first epoch, the time from its last epoch to its end, in seconds,
        and the run's folder.
    """
    begun_s = time.time()
    options = ["--trials", "2", "--max-epochs", "2", "--scheduler", "none", "--name", "first", "--storage"]
    seconds_of(sys.executable, "-m", "tune_jobs", "run", "digits_mlp", *options, str(storage))
    ended_s, folder = time.time(), storage / "first"
    made_s = json.loads((folder / "experiment.json").read_text())["created_s"]
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    seen_s = {kind: [line["time_s"] for line in lines if line["event"] == kind] for kind in KINDS}
    ends = [begun_s, made_s, *(times[0] for times in seen_s.values())]
    parts = dict(zip(PARTS, (end - start for start, end in itertools.pairwise(ends)), strict=True))
    return parts, ended_s - seen_s["epoch"][-1], folder


def main() -> None:
    """Measure in rounds, everything once in each round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="the file for the figures")
    options = parser.parse_args()
    rounds = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as storage:
            parts, end_s, folder = parts_of_a_run(Path(storage))
            python = {name: seconds_of(sys.executable, "-c", program) for name, program in PROGRAMS.items()}
            short = {"--help": ["--help"], "leaderboard of a small run": ["leaderboard", str(folder)]}
            commands = {name: seconds_of(sys.executable, "-m", "tune_jobs", *words) for name, words in short.items()}
        start_of_ray = python["ray.init"] - python["import ray"]
        allowed = python["import tensorflow"] - python["python"] + start_of_ray + 3
        first_epoch = {"first epoch after": sum(parts.values()), "allowed": allowed}
        rounds.append({**parts, **first_epoch, "last epoch to the prompt": end_s, **python, **commands})
    for name in rounds[0]:
        print(f"{name:>30}: {statistics.median(each[name] for each in rounds):6.2f} s")
    if options.json:
        options.json.write_text(json.dumps(rounds, indent=2) + "\n")


if __name__ == "__main__":
    main()
