"""The plot of regrets against epochs and against simulated time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.replay.runs import Outcome


def plot(
    file: Path, made: Sequence[Outcome], by_side: Mapping[tuple[str, int], NDArray[np.float64]], worlds: Sequence[str]
) -> None:
    """Draw the mean regret of each method: on the left against epochs, on the right against simulated time.

    Simulated time is a part of the shortest replay in the same world, since worlds have epochs of different length.

    Args:
        file: The file to write; its name's end decides the format.
        made: The replays.
        by_side: The regret after each epoch by method and number of workers. Shape of each: (worlds, seeds, epochs).
        worlds: The names of the worlds.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    by_epoch, by_time = figure.subplots(1, 2, sharey=True)
    shortest = {world: min(one.time_s[-1] for one in made if one.task.world == world) for world in worlds}
    parts = np.linspace(0.02, 1.0, 99)
    for (method, workers), values in by_side.items():
        mean = np.where(np.isfinite(values), values, np.nan).mean((0, 1))
        by_epoch.plot(np.arange(1, len(mean) + 1), mean, label=f"{method}, {workers}")
        seeds = sorted({one.task.seed for one in made})
        timed = []
        for one in made:
            if (one.task.method, one.task.workers) == (method, workers):
                regret = values[worlds.index(one.task.world), seeds.index(one.task.seed)]
                last = np.searchsorted(one.time_s, parts * shortest[one.task.world], side="right") - 1
                timed.append(np.where(last >= 0, regret[last], np.nan))
        by_time.plot(parts, np.where(np.isfinite(timed), timed, np.nan).mean(0), label=f"{method}, {workers}")
    by_epoch.set(xlabel="trained epochs", ylabel="regret", ylim=(0, 1.5))
    by_time.set(xlabel="simulated time, as a part of the shortest replay")
    by_epoch.legend()
    figure.savefig(file)
