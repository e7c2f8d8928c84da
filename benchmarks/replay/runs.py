"""The replays of many methods in many worlds under many seeds, in several processes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.replay.lcbench import LcbenchTask
from benchmarks.replay.methods import METHODS
from benchmarks.replay.synthetic import SyntheticWorld
from tune_jobs.replay import World, replay

START_S = 1.0
"""The simulated seconds that a worker needs to start or continue a trial."""


@dataclass(frozen=True)
class Task:
    """One replay to make.

    Attributes:
        world: The world's name, as in ``world_of``.
        method: The method's name.
        seed: The seed.
        epochs: The number of epochs.
        workers: The number of simulated workers.
        data: The folder of LCBench's surrogate.
    """

    world: str
    method: str
    seed: int
    epochs: int
    workers: int
    data: Path | None


@dataclass(frozen=True)
class Outcome:
    """The course of one replay, in short.

    Attributes:
        task: The replay.
        best: The best loss after each epoch. Shape: (epochs,).
        time_s: The simulated time after each epoch, in seconds. Shape: (epochs,).
        trials: The number of trials.
        trained_out: The part of the epochs that went to trials which had all their epochs.
        proposal_ms: The CPU time of searcher and scheduler for a trial, in milliseconds.
    """

    task: Task
    best: NDArray[np.float64]
    time_s: NDArray[np.float64]
    trials: int
    trained_out: float
    proposal_ms: float


@cache
def world_of(name: str, data: Path | None) -> World:
    """Return a world by its name: lcbench-TASK, or KIND-NUMBER of the synthetic family."""
    kind, _, number = name.rpartition("-")
    if kind == "lcbench":
        if data is None:
            raise ValueError(f"The world {name} needs the folder of the surrogate.")
        return LcbenchTask(data, number)
    return SyntheticWorld(kind, int(number))


def outcome_of(task: Task) -> Outcome:
    """Make one replay."""
    world, method = world_of(task.world, task.data), METHODS[task.method]
    course = replay(
        world,
        method.searcher,
        method.scheduler,
        epochs=task.epochs,
        workers=task.workers,
        seed=task.seed,
        start_s=START_S,
    )
    lengths = np.bincount(course.trials)
    return Outcome(
        task,
        course.best_losses(),
        np.array(course.time_s),
        course.proposals,
        float(lengths[lengths == world.max_epochs].sum() / lengths.sum()),
        1000 * course.cpu_s / course.proposals,
    )


def outcomes(tasks: Iterable[Task], processes: int) -> Iterator[Outcome]:
    """Make replays, and yield them in the order of the tasks.

    Args:
        tasks: The replays to make.
        processes: The number of processes.
    """
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # each process has one core
    if processes == 1:
        yield from map(outcome_of, tasks)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(outcome_of, tasks)
