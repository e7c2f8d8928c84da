"""A program that kills a run's driver, workers and nodes in turn, at random instants, and counts what is lost.

python -m tests.support.faults --kills 50 --seed 0     # on a cluster of two nodes of its own, and a head
python -m tests.support.faults --kills 50 --nodes 0    # without a cluster: no nodes are killed
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.fault_cluster import FaultCluster
from tests.support.fault_lab import EPOCHS, FaultLab, Trained
from trainables.storage import checkpoint, layout
from tune_jobs.results import EpochReported, Status, TrialStarted

STARTING = 0.25
"""The share of the driver's deaths that come while it starts, rather than while it trains."""


@dataclass
class Kill:
    """One kill and its consequences.

    Attributes:
        kind: The victim: "driver", "worker" or "node".
        time_s: The time of the kill, in Unix time.
        saved: The epoch of the newest checkpoint of each trial that was running, by its learning rate.
        lost: The number of epochs that were trained to their end and not saved.
        back_s: The seconds until a trial that was running was trained again; None if none was.
        gone_s: The seconds until the driver's processes had ended, too.
        strays: The titles of processes that were still there after half a minute.
        at: The number of epochs that had been trained.
    """

    kind: str
    time_s: float
    saved: dict[float, int] = field(default_factory=dict)
    lost: int = 0
    back_s: float | None = None
    gone_s: float = 0.0
    strays: list[str] = field(default_factory=list)
    at: int = 0


def shoot(lab: FaultLab, kills: int, seed: int) -> list[Kill]:
    """Kill and resume the run until it was killed often enough, then let it end.

    Args:
        lab: The run.
        kills: The number of kills.
        seed: The seed of the instants and of the victims.
    """
    rng = random.Random(seed)  # noqa: S311 - instants, not secrets
    shots: list[Kill] = []
    driver = lab.start()
    try:
        while len(shots) < kills:
            kinds = [_kill_driver, _kill_worker, *([_kill_node] if lab.cluster else [])]
            shots.append(kinds[len(shots) % len(kinds)](lab, driver, rng))
            if driver.poll() is not None:
                driver = lab.start()
            _wait_until_back(lab, driver, shots[-1])
    finally:
        lab.kill_driver(driver)
    last = max(lab.history().trials)
    if lab.start("--trials", str(last + 2)).wait() != 0:
        raise AssertionError(f"The run did not end well: {lab.output.read_text()[-2000:]}")
    return shots


def _kill_driver(lab: FaultLab, driver: subprocess.Popen[bytes], rng: random.Random) -> Kill:
    if rng.random() < STARTING:
        time.sleep(rng.uniform(0.0, 10.0))
    else:
        lab.wait_for_epoch(driver, len(lab.trained()))
        time.sleep(rng.uniform(0.0, 3.0))
    kill = Kill("driver", time.time())
    kill.gone_s, kill.strays = lab.kill_driver(driver)
    return _examined(lab, kill, list(lab.unfinished()))


def _kill_worker(lab: FaultLab, driver: subprocess.Popen[bytes], rng: random.Random) -> Kill:
    lab.wait_for_epoch(driver, len(lab.trained()))
    time.sleep(rng.uniform(0.0, 3.0))
    workers = lab.workers(driver.pid)
    if not workers:
        raise AssertionError(f"Nothing is trained: {lab.output.read_text()[-2000:]}")
    worker = rng.choice(workers)
    worker.kill()
    kill = Kill("worker", time.time())
    psutil.wait_procs([worker], timeout=10)
    return _examined(lab, kill, _trained_by(lab, {worker.pid}))


def _kill_node(lab: FaultLab, driver: subprocess.Popen[bytes], rng: random.Random) -> Kill:
    lab.wait_for_epoch(driver, len(lab.trained()))
    time.sleep(rng.uniform(0.0, 3.0))
    kill = Kill("node", time.time())
    return _examined(lab, kill, _trained_by(lab, lab.kill_node(rng)))


def _trained_by(lab: FaultLab, dead: set[int]) -> list[float]:
    """Return the learning rates of the trials that these processes were training."""
    last = {epoch.pid: epoch.rate for epoch in lab.trained() if epoch.pid in dead}
    return [rate for rate in last.values() if rate in lab.unfinished()]


def _examined(lab: FaultLab, kill: Kill, victims: Sequence[float]) -> Kill:
    trained, numbers = lab.trained(), lab.unfinished()
    kill.at = len(trained)
    for rate in victims:
        kill.saved[rate] = lab.saved_epoch(numbers[rate])
        kill.lost += max((epoch.epoch for epoch in trained if epoch.rate == rate), default=0) - kill.saved[rate]
    return kill


def _wait_until_back(lab: FaultLab, driver: subprocess.Popen[bytes], kill: Kill) -> None:
    unfinished = [rate for rate, epoch in kill.saved.items() if epoch < EPOCHS]
    if unfinished:
        epoch = lab.wait_for_epoch(driver, kill.at, unfinished)
        kill.back_s = epoch and epoch.time_s - kill.time_s


def wrongs(lab: FaultLab, kills: Sequence[Kill]) -> Iterator[str]:
    """Yield everything that a run which was killed has lost or done twice, a sentence each."""
    history = lab.history()
    search = lab.experiment.searcher.start(lab.experiment.space, seed=0, rungs=(), max_epochs=EPOCHS)
    for number in range(max(history.trials) + 1):
        trial, config = history.trials.get(number), search.propose(number)
        if trial is None or trial.config != config:
            yield f"Trial {number} is {trial and trial.config}, but an uninterrupted run's is {config}."
        elif trial.status is not Status.COMPLETED or list(trial.epochs) != list(range(1, EPOCHS + 1)):
            yield f"Trial {number} ended as {trial.status} ({trial.error}) with the epochs {list(trial.epochs)}."
    yield from _reported_twice(lab)
    for index, kill in enumerate(kills):
        yield from _trained_again(lab.trained(), index, kill)
        if kill.strays:
            yield f"Kill {index}: these did not end with their driver: {'; '.join(kill.strays)}."
    if lasting := lab.lasting_agents():
        yield f"{lasting} agents of Ray did not end with their driver."
    yield from _torn(lab.run_folder)
    left = [path.name for path in lab.ray_folder.glob("tune-jobs-*" if lab.cluster else "*")]
    if left:
        yield f"Folders of killed drivers are left: {left}."


def _reported_twice(lab: FaultLab) -> Iterator[str]:
    events = lab.run.events()
    reported = [(event.trial, event.epoch) for event in events if isinstance(event, EpochReported)]
    for pair in sorted({pair for pair in reported if reported.count(pair) > 1}):
        yield f"Epoch {pair[1]} of trial {pair[0]} is in the journal {reported.count(pair)} times."
    configs: dict[str, int] = {}
    for event in events:
        if isinstance(event, TrialStarted) and configs.setdefault(json.dumps(event.config), event.trial) != event.trial:
            yield f"Trial {event.trial} has the configuration of trial {configs[json.dumps(event.config)]}."


def _trained_again(trained: Sequence[Trained], index: int, kill: Kill) -> Iterator[str]:
    for rate, saved in kill.saved.items():
        again = next((epoch.epoch for epoch in trained[kill.at :] if epoch.rate == rate), None)
        wanted = saved + 1 if saved < EPOCHS else None
        if again != wanted:
            yield f"Kill {index} ({kill.kind}): after a checkpoint of epoch {saved}, epoch {again} was trained next."


def _torn(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".") or path.suffix == ".tmp":
            yield f"{path} was left unfinished."
        elif path.suffix == ".json":
            try:
                json.loads(path.read_text())
            except ValueError:
                yield f"{path} is torn."
        elif path.is_dir() and layout.is_checkpoint(path.name):
            try:
                checkpoint.read(path)
            except checkpoint.CheckpointError as error:
                yield str(error)


def table(kills: Sequence[Kill]) -> str:
    """Return the cost of each kind of kill as a table in Markdown."""
    lines = [
        "| killed | kills | trials continued | epochs lost: mean, most | seconds until trained again: median, most |",
        "|---|---|---|---|---|",
    ]
    for kind in dict.fromkeys(kill.kind for kill in kills):
        some = [kill for kill in kills if kill.kind == kind]
        lost = [kill.lost for kill in some]
        back_s = [kill.back_s for kill in some if kill.back_s is not None]
        lines.append(
            f"| {kind} | {len(some)} | {sum(len(kill.saved) for kill in some)} "
            f"| {statistics.mean(lost or [0]):.2f}, {max(lost, default=0)} "
            f"| {statistics.median(back_s or [0]):.1f}, {max(back_s, default=0):.1f} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--nodes", type=int, default=2, help="Nodes of the cluster; 0: the run has a Ray of its own.")
    parser.add_argument("--keep", action="store_true", help="Keep the run's folder.")
    options = parser.parse_args()
    folder, ray_folder = Path(tempfile.mkdtemp(prefix="faults-")), Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    cluster = FaultCluster(ray_folder, options.nodes) if options.nodes else None
    lab = FaultLab(folder, ray_folder, cluster)
    start_s = time.monotonic()
    try:
        kills = shoot(lab, options.kills, options.seed)
        wrong = list(wrongs(lab, kills))
    finally:
        if cluster is not None:
            cluster.end()
        if not options.keep:
            shutil.rmtree(folder)
        shutil.rmtree(ray_folder, ignore_errors=True)
    summary = f"{len(kills)} kills in {time.monotonic() - start_s:.0f} s. Wrong: {len(wrong)}."
    report = [table(kills), "", summary, *wrong]
    sys.stdout.write("\n".join(report) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
