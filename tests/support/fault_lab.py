"""A run on digits that tests kill at any instant. Its workers write down every epoch that they train."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.child_process import COMMAND, wait_until_gone
from tests.support.fault_cluster import ENVIRONMENT, FaultCluster, descendants
from trainables.storage.checkpoint import DiskCheckpoints
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.loading.loader import load
from tune_jobs.results import History, Status
from tune_jobs.results.layout import EXPERIMENT_FILE, trial_folder
from tune_jobs.results.run import Run

EPOCHS = 12
TIMEOUT_S = 600.0
NAME = "shot-at"
AGENTS = ("ray::RuntimeEnvAgent", "ray::DashboardAgent")  # they try for 60 s to report a dead raylet to a dead server
WORKER = "ray::Worker"
EXPERIMENT = f'''
"""Which rate and width suit the digits?"""

import json
import os
import time
from pathlib import Path

import keras
from search_spaces import Float, Int, SearchSpace
from trainables import FitOptions
from trainables.examples.digits_mlp import DigitsMlp
from tune_jobs import Experiment, NoScheduler, Objective, Random

WITNESSED = Path({{witnessed!r}})


class Witness(keras.callbacks.Callback):
    """Make an epoch last, and append it to the file when it was trained, in a single write."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.25)
        line = {{{{"rate": self.rate, "epoch": epoch + 1, "pid": os.getpid(), "time_s": time.time()}}}}
        with WITNESSED.open("ab", buffering=0) as file:
            file.write(json.dumps(line).encode() + b"\\n")


class ShotAt(DigitsMlp):
    def build_model(self, config):
        optimizer = {{{{"optimizer": "adam", "learning_rate": config["rate"]}}}}
        return super().build_model({{{{"units": [config["units"]], "dropout": 0.2, **optimizer}}}})

    def fit_options(self, config):
        return FitOptions(callbacks=[Witness(config["rate"])])


EXPERIMENT = Experiment(
    ShotAt,
    SearchSpace(units=Int(8, 64), rate=Float(1e-4, 1e-1, log=True)),
    Objective("val_accuracy", "max"),
    searcher=Random(),
    scheduler=NoScheduler(),
    trials=1000,
    max_epochs={EPOCHS},
    max_concurrent_trials=2,
    max_retries=1000,
    checkpoint_every_s=0.5,
)
'''


@dataclass(frozen=True)
class Trained:
    """An epoch that a worker trained to its end, as the worker wrote it down."""

    rate: float
    epoch: int
    pid: int
    time_s: float


class FaultLab:
    """The run's files and processes.

    Args:
        folder: The folder for its files.
        ray_folder: The folder for the files of the driver's Ray, or of the cluster's. Its path must be short.
        cluster: The cluster on which it runs; None: the driver starts a Ray of its own.
    """

    def __init__(self, folder: Path, ray_folder: Path, cluster: FaultCluster | None = None) -> None:
        self.folder = folder
        self.cluster = cluster
        self.ray_folder = ray_folder
        self.witnessed = folder / "trained.jsonl"
        self.file = folder / "digits_under_fire.py"
        self.file.write_text(EXPERIMENT.format(witnessed=str(self.witnessed)))
        self.run_folder = folder / "runs" / NAME
        self.output = folder / "output.txt"
        self.agents: list[psutil.Process] = []

    @property
    def experiment(self) -> Experiment:
        return load(str(self.file)).experiment

    @property
    def run(self) -> Run:
        return Run(self.run_folder)

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Begin the run, or resume it."""
        has_begun = (self.run_folder / EXPERIMENT_FILE).exists()
        command = ["resume", NAME] if has_begun else ["run", self.file.name, "--name", NAME]
        with self.output.open("ab") as output:
            return subprocess.Popen(
                [COMMAND, *command, *options],
                cwd=self.folder,
                env={**os.environ, "RAY_TMPDIR": str(self.ray_folder), **self._address()},
                stdout=output,
                stderr=output,
            )

    def trained(self) -> list[Trained]:
        """Return all epochs that were trained, in order."""
        if not self.witnessed.exists():
            return []
        return [Trained(**json.loads(line)) for line in self.witnessed.read_text().splitlines(keepends=True)]

    def unfinished(self) -> dict[float, int]:
        """Return the numbers of the trials that have begun and not ended, by their learning rates."""
        running = (Status.RUNNING, Status.INTERRUPTED)
        return {
            trial.config["rate"]: number for number, trial in self.history().trials.items() if trial.status in running
        }

    def history(self) -> History:
        return self.run.history() if (self.run_folder / EXPERIMENT_FILE).exists() else History(trials={})

    def saved_epoch(self, trial: int) -> int:
        """Return the epoch of a trial's newest checkpoint that can be read; 0 if there is none."""
        snapshot = DiskCheckpoints(trial_folder(self.run_folder, trial)).newest()
        return 0 if snapshot is None else int(snapshot.state["epoch"])

    def workers(self, driver: int) -> list[psutil.Process]:
        """Return the processes that train."""
        family = descendants(driver) if self.cluster is None else self.cluster.processes()
        return [process for process in family if _title(process).startswith(WORKER)]

    def kill_driver(self, driver: subprocess.Popen[bytes]) -> tuple[float, list[str]]:
        """Kill the driver, and wait for the processes that it began.

        Returns:
            The seconds until all were gone, and the titles of the processes that were still there after half a minute.
            Those are killed, too.
        """
        own = descendants(driver.pid)
        self.agents += [process for process in own if _title(process).startswith(AGENTS)]
        family = [process for process in own if process not in self.agents]
        if self.cluster is not None:
            family += self.workers(driver.pid)
        killed_s = time.monotonic()
        driver.kill()
        driver.wait()
        _, strays = psutil.wait_procs(family, timeout=30)
        if self.cluster is None:
            strays += wait_until_gone(self.ray_folder, timeout_s=5)  # processes that began in the last moment
        gone_s = time.monotonic() - killed_s
        titles = [_title(stray) for stray in strays]
        for stray in strays:
            stray.kill()
        return gone_s, titles

    def kill_node(self, rng: random.Random) -> set[int]:
        """Kill a node on which a trial is trained, let another join, and return the ids of the dead processes."""
        assert self.cluster is not None
        training = {process.pid for process in self.workers(0)}
        busy = [
            node for node in self.cluster.nodes if training & {process.pid for process in descendants(node.process.pid)}
        ]
        dead = self.cluster.kill_node(rng.choice(busy or self.cluster.nodes))
        self.cluster.add_node()
        return {process.pid for process in dead}

    def _address(self) -> dict[str, str]:
        return {} if self.cluster is None else {"RAY_ADDRESS": self.cluster.address, **ENVIRONMENT}

    def lasting_agents(self) -> int:
        """Return how many of Ray's agents outlive their driver by more than 90 s. Call it at the end."""
        return len(psutil.wait_procs(self.agents, timeout=90)[1])

    def wait_for_epoch(
        self, driver: subprocess.Popen[bytes], seen: int, rates: Container[float] | None = None
    ) -> Trained | None:
        """Wait for the next epoch, and return it; None if the driver ends before, or hangs.

        Args:
            driver: The driver's process.
            seen: The number of epochs to pass over.
            rates: The learning rates of the trials that count; None: all trials.
        """
        deadline_s = time.monotonic() + TIMEOUT_S
        while driver.poll() is None and time.monotonic() < deadline_s:
            epochs = (epoch for epoch in self.trained()[seen:] if rates is None or epoch.rate in rates)
            if epoch := next(epochs, None):
                return epoch
            if self.cluster is not None:
                self.cluster.tend()
            time.sleep(0.1)
        return None


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
