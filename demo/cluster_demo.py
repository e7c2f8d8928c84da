"""An experiment on a cluster of this machine: a head and two workers, a job, its run fetched, and its leaderboard.

Run it with ``python -m demo.cluster_demo``.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.local_cluster import BIN, LocalCluster
from tune_jobs.cli.options import default_storage
from tune_jobs.results.find import find_run

_BUDGET = ["--trials", "6", "--max-epochs", "3"]
_IMAGES = "datasets/fashion-mnist/train-images-idx3-ubyte.gz"
_INTERRUPTED = 130


def main() -> int:
    """Run the demonstration, and return the exit status of its job."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it then ends as after Ctrl-C
    run = time.strftime("demo-cluster-%Y%m%d-%H%M%S")
    try:
        _say("Starting a head and two workers …")
        with LocalCluster(workers=2) as cluster:
            address = ["--address", cluster.address]
            storage = ["--storage", str(cluster.folder / "runs")]
            status, job = _submit(cluster, [*_experiment(), *_BUDGET, "--name", run, *address, *storage, "--follow"])
            if job is None:
                return status
            _tune_jobs(cluster, "fetch", job, *address)
            _tune_jobs(cluster, "leaderboard", run)
            _say("\n" + _nodes(run))
            _say("\nStopping what was started …")
            return status
    except KeyboardInterrupt:
        _say("\nInterrupted; what was started is stopped.")
        return _INTERRUPTED


def _experiment() -> list[str]:
    """Return the arguments that name Fashion-MNIST if its images are on this machine, else scikit-learn's digits."""
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    return ["fashion_mnist_mlp", "--fraction", "0.2"] if (home / _IMAGES).is_file() else ["digits_mlp"]


def _nodes(run: str) -> str:
    """Return the trials of each node as text: a narrow terminal has no room for that column of the leaderboard."""
    trials = find_run(run, default_storage()).leaderboard().groupby("node")["trial"]
    return "\n".join(f"{node}: trials {', '.join(map(str, sorted(numbers)))}" for node, numbers in trials)


def _submit(cluster: LocalCluster, arguments: list[str]) -> tuple[int, str | None]:
    """Submit, show what is printed, and return the exit status and the job's id (None: there is no job)."""
    job = None
    with _started(cluster, "submit", arguments, stdout=subprocess.PIPE) as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            if job is None and line.startswith("job:"):
                job = line.split()[1]
    return process.returncode, job


def _tune_jobs(cluster: LocalCluster, command: str, *arguments: str) -> None:
    with _started(cluster, command, list(arguments)) as process:
        process.wait()


@contextmanager
def _started(
    cluster: LocalCluster, command: str, arguments: list[str], stdout: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run a command of this package within a block. An interruption ends it, too."""
    _say(f"\n$ {shlex.join(['tune-jobs', command, *arguments])}")
    with subprocess.Popen(  # noqa: S603 - this package's own command
        [BIN / "tune-jobs", command, *arguments], env=cluster.environment, stdout=stdout, text=True
    ) as process:
        try:
            yield process
        except BaseException:
            process.terminate()
            raise


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
