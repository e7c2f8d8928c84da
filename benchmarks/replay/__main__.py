"""The regret of searchers and schedulers, by replaying learning curves; nothing is trained.

    python -m benchmarks.replay [--worlds lcbench synthetic] [--methods hyperopt+asha …] [--seeds 20] [--epochs 500]
        [--workers 4 16] [--processes 2] [--data FOLDER] [--plot FILE] [--json FILE]

Regret: 0 is the best loss that anybody found in a world, in this program's replays. 1 is what random search with ASHA
has after 100 epochs, in the mean of the seeds, with the first number of workers. The tables have the mean of the
worlds, and its 95 % interval over the seeds. A world is lcbench, synthetic (one world of
each kind), or a single one: lcbench-TASK, KIND-NUMBER.
"""

from __future__ import annotations

import os
import time
from argparse import Namespace
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import parser_of, write_figures
from benchmarks.replay.lcbench import lcbench_folder, lcbench_tasks
from benchmarks.replay.methods import BASE, METHODS, QUICK
from benchmarks.replay.regret import interval, regrets
from benchmarks.replay.runs import Outcome, Task, outcomes
from benchmarks.replay.synthetic import KINDS

MARKS = (100, 250, 500, 1000)


def options_of() -> Namespace:
    """Return the options of the command line."""
    parser = parser_of(__doc__)
    parser.add_argument("--worlds", nargs="+", default=["lcbench", "synthetic"], help="families, or single worlds")
    parser.add_argument(
        "--methods", nargs="+", default=QUICK, choices=METHODS, metavar="METHOD", help=f"of {', '.join(METHODS)}"
    )
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds, or the first of them with --first-seed")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=500, help="epochs of all trials of a replay together")
    parser.add_argument("--workers", type=int, nargs="+", default=[4], help="numbers of simulated workers")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--data", type=Path, help="the folder of LCBench's surrogate (default: the variable LCBENCH)")
    parser.add_argument("--plot", type=Path, help="the file for a plot against epochs and simulated time")
    return parser.parse_args()


def worlds_of(names: list[str], data: Path | None) -> list[str]:
    """Return the names of single worlds."""
    worlds: list[str] = []
    for name in names:
        if name == "lcbench":
            worlds += [f"lcbench-{task}" for task in lcbench_tasks(lcbench_folder(data))]
        elif name == "synthetic":
            worlds += [f"{kind}-0" for kind in KINDS]
        else:
            worlds.append(name)
    return worlds


Side = tuple[str, int]
"""A method, and a number of workers."""


def regrets_of(made: list[Outcome], worlds: list[str], sides: list[Side]) -> dict[Side, NDArray[np.float64]]:
    """Return the regret after each epoch by side. Shape of each: (worlds, seeds, epochs).

    Args:
        made: The replays.
        worlds: The names of the worlds.
        sides: The sides; the first has the base method.
    """
    best = {(one.task.world, (one.task.method, one.task.workers), one.task.seed): one.best for one in made}
    seeds = sorted({seed for _, _, seed in best})
    by_side: dict[Side, list[NDArray[np.float64]]] = defaultdict(list)
    for world in worlds:
        zero = min(float(losses[-1]) for (where, _, _), losses in best.items() if where == world)
        one = float(np.mean([best[world, sides[0], seed][MARKS[0] - 1] for seed in seeds]))
        for side in sides:
            by_side[side].append(regrets(np.array([best[world, side, seed] for seed in seeds]), zero, one))
    return {side: np.array(values) for side, values in by_side.items()}


def row_of(made: list[Outcome], values: NDArray[np.float64], marks: list[int]) -> dict[str, Any]:
    """Return the figures of one method in a family of worlds.

    Args:
        made: Its replays.
        values: Its regret after each epoch. Shape: (worlds, seeds, epochs).
        marks: The numbers of epochs after which the regret is told.
    """
    return {
        "regret": {mark: interval(values[:, :, mark - 1]) for mark in marks},
        "trained_out": float(np.mean([one.trained_out for one in made])),
        "proposal_ms": float(np.mean([one.proposal_ms for one in made])),
        "trials": float(np.mean([one.trials for one in made])),
    }


def print_row(side: str, row: dict[str, Any]) -> None:
    """Print one line of a table."""
    cells = " ".join(f"{mean:6.3f} ({low:.3f}-{high:.3f})" for mean, low, high in row["regret"].values())
    print(f"{side:>28} {cells}  {row['trained_out']:11.0%}  {row['proposal_ms']:13.1f}", flush=True)


def main() -> None:
    """Make the replays, and print the tables."""
    options = options_of()
    data = lcbench_folder(options.data) if any("lcbench" in name for name in options.worlds) else None
    worlds = worlds_of(options.worlds, data)
    sides = [(method, workers) for method in dict.fromkeys([BASE, *options.methods]) for workers in options.workers]
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    tasks = [
        Task(world, method, seed, options.epochs, workers, data)
        for method, workers in sides
        for world in worlds
        for seed in seeds
    ]
    begun_s = time.monotonic()
    made = list(outcomes(tasks, options.processes))
    by_side = regrets_of(made, worlds, sides)
    marks = [mark for mark in MARKS if mark <= options.epochs]
    tables: dict[str, dict[str, Any]] = {}
    for family, is_real in (("lcbench", True), ("synthetic", False)):
        chosen = [index for index, world in enumerate(worlds) if world.startswith("lcbench") is is_real]
        if not chosen:
            continue
        print(f"\n{family}: {len(chosen)} worlds, {len(seeds)} seeds")
        print(
            f"{'method and workers':>28} " + " ".join(f"{mark:>20}" for mark in marks) + "  trained out  ms a proposal"
        )
        tables[family] = {}
        for method, workers in sides:
            mine = [
                one
                for one in made
                if (one.task.method, one.task.workers) == (method, workers) and worlds.index(one.task.world) in chosen
            ]
            row = row_of(mine, by_side[method, workers][chosen], marks)
            tables[family][f"{method}, {workers}"] = row
            print_row(f"{method}, {workers}", row)
    trials, took_s = sum(one.trials for one in made), time.monotonic() - begun_s
    spent = os.times()
    cpu_s = spent.user + spent.system + spent.children_user + spent.children_system
    print(f"\n{len(tasks)} replays with {trials:,} trials in {took_s:.0f} s; {cpu_s:.0f} s of CPU time")
    if options.plot:
        from benchmarks.replay.plots import plot

        plot(options.plot, made, by_side, worlds)
    write_figures(options, {"worlds": worlds, "seeds": options.seeds, "tables": tables})


if __name__ == "__main__":
    main()
