"""An experiment on a cluster: a head and two workers on this machine, a job, its run brought back, its leaderboard.

python -m demo.cluster_demo
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
    """Runs the demonstration; its exit status is the job's."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # leaves by the way of Ctrl-C
    run = time.strftime("demo-cluster-%Y%m%d-%H%M%S")
    try:
        _say("Starting a head and two workers …")
        with LocalCluster(workers=2) as cluster:
            place = ["--address", cluster.address]
            shared = ["--storage", str(cluster.folder / "runs")]
            status, job = _submit(cluster, [*_experiment(), *_BUDGET, "--name", run, *place, *shared, "--follow"])
            if job is None:
                return status
            _tune_jobs(cluster, "fetch", job, *place)
            _tune_jobs(cluster, "leaderboard", run)
            _say("\n" + _nodes(run))
            _say("\nStopping what was started …")
            return status
    except KeyboardInterrupt:
        _say("\nInterrupted; what was started is stopped.")
        return _INTERRUPTED


def _experiment() -> list[str]:
    """Fashion-MNIST where its images are, else the digits that scikit-learn brings along."""
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    return ["fashion_mnist_mlp", "--fraction", "0.2"] if (home / _IMAGES).is_file() else ["digits_mlp"]


def _nodes(run: str) -> str:
    """Which node did which trials: a narrow terminal has no room for that column of the leaderboard."""
    trials = find_run(run, default_storage()).leaderboard().groupby("node")["trial"]
    return "\n".join(f"{node}: trials {', '.join(map(str, sorted(each)))}" for node, each in trials)


def _submit(cluster: LocalCluster, arguments: list[str]) -> tuple[int, str | None]:
    """Submits, showing what is printed; returns the status, and the job when there is one."""
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
    """A command of this package, which does not outlive an interruption."""
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
