"""Searches on TensorFlow, on JAX with and without compiled programs kept on disk, and on PyTorch, in turn.

    python -m benchmarks.backends [--rounds 2] [--only digits_mlp|fashion_mnist_cnn] [--json FILE]

From command to prompt, with a Ray of its own for each run: 12 trials of ``digits_mlp``, and 2 trials of 2 epochs on a
tenth of the examples of ``fashion_mnist_cnn``, whose images must lie in ``KERAS_HOME``. Two rounds take 4 minutes on
2 cores. CPU seconds are those of the command and of all processes that it has started.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

RUNS = {
    "digits_mlp": ["--trials", "12", "--searcher", "random"],
    "fashion_mnist_cnn": ["--trials", "2", "--max-epochs", "2", "--fraction", "0.1"],
}
BACKENDS = {
    "digits_mlp": ("tensorflow", "jax, new", "jax, kept"),
    "fashion_mnist_cnn": ("tensorflow", "jax, new", "jax, kept", "torch"),
}
_EVERY_S = 0.1


@dataclass(frozen=True)
class Run:
    """One run, as it was measured.

    Attributes:
        experiment: The experiment.
        backend: The backend, and for JAX whether compiled programs were kept from before.
        wall_s: Seconds from command to prompt.
        cpu_s: CPU seconds of the command and its descendants.
        programs: The number of files of compiled programs afterwards.
    """

    experiment: str
    backend: str
    wall_s: float
    cpu_s: float
    programs: int


def measure(experiment: str, backend: str, cache: Path) -> Run:
    """Run an experiment on a backend.

    Args:
        experiment: Its name.
        backend: One of ``BACKENDS``.
        cache: The folder below which compiled programs are kept.

    Raises:
        RuntimeError: The run failed.
    """
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend.split(",")[0],
        "XDG_CACHE_HOME": str(cache),
        "CUDA_VISIBLE_DEVICES": "",
        "TUNE_JOBS_SHARING": "off",
        "TUNE_JOBS_WARM": "off",
    }
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as storage:
        command = [sys.executable, "-m", "tune_jobs", "run", experiment, *RUNS[experiment], "--storage", storage]
        begun_s = time.monotonic()
        child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cpu_s: dict[int, float] = {}
        while child.poll() is None:
            _add_cpu(child.pid, cpu_s)
            time.sleep(_EVERY_S)
        wall_s = time.monotonic() - begun_s
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with status {child.returncode}.")
    return Run(experiment, backend, wall_s, sum(cpu_s.values()), len([*cache.glob("tune-jobs/jax/*-cache")]))


def _add_cpu(pid: int, cpu_s: dict[int, float]) -> None:
    """Note the CPU seconds so far of a process and its descendants; one that ends keeps what was noted last."""
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        cpu_s[process.pid] = times.user + times.system


def main() -> None:
    """Measure in rounds, everything once in each round, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", choices=[*RUNS], help="the only experiment to run")
    parser.add_argument("--json", type=Path, help="the file for the figures")
    options = parser.parse_args()
    runs: list[Run] = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="bench-") as cache:
            for experiment in [options.only] if options.only else RUNS:
                runs += [measure(experiment, backend, Path(cache)) for backend in BACKENDS[experiment]]
    for experiment in dict.fromkeys(run.experiment for run in runs):
        _print_table(experiment, [run for run in runs if run.experiment == experiment])
    if options.json:
        options.json.write_text(json.dumps([asdict(run) for run in runs], indent=2) + "\n")


def _print_table(experiment: str, runs: list[Run]) -> None:
    print(f"{experiment} {' '.join(RUNS[experiment])}")
    base = [run for run in runs if run.backend == "tensorflow"]
    for backend in BACKENDS[experiment]:
        of_backend = [run for run in runs if run.backend == backend]
        walls, cpus = [run.wall_s for run in of_backend], [run.cpu_s for run in of_backend]
        wall_ratio = statistics.median(walls) / statistics.median(run.wall_s for run in base)
        cpu_ratio = statistics.median(cpus) / statistics.median(run.cpu_s for run in base)
        wall = f"{', '.join(f'{value:.1f}' for value in walls)} s ({wall_ratio:.2f} x)"
        cpu = f"{', '.join(f'{value:.1f}' for value in cpus)} CPU s ({cpu_ratio:.2f} x)"
        print(f"{backend:>12}: {wall}, {cpu}, {of_backend[-1].programs} programs kept")


if __name__ == "__main__":
    main()
