"""The worth of a warm start, by replay: with results of the same task, and with results that are wrong.

    python -m benchmarks.replay.prior [--worlds lcbench synthetic] [--methods foresight+asha hyperopt+asha]
        [--priors none same shuffled inverted other] [--seeds 20] [--epochs 500] [--prior-epochs 500] [--processes 2]
        [--data FOLDER] [--json FILE]

A prior is what another search with the same method, under another seed, has left. `same`: in the same world.
`shuffled`: its curves are dealt out to its configurations at random. `inverted`: its best are its worst. `other`: of
the next world of the family. The table has the regret (as in benchmarks.replay, against `none`), and the number of
epochs after which a method with a prior has, in the mean, what it has without one after 500, as a part of these.
"""

from __future__ import annotations

import os
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import parser_of, write_figures
from benchmarks.replay.__main__ import worlds_of
from benchmarks.replay.lcbench import lcbench_folder
from benchmarks.replay.methods import METHODS
from benchmarks.replay.regret import RESAMPLES, interval, regrets
from benchmarks.replay.runs import START_S, world_of
from tune_jobs.replay import replay
from tune_jobs.replay.simulation import Replay
from tune_jobs.results import EpochReported, Event, Status, TrialEnded, TrialStarted

PRIORS = ("none", "same", "shuffled", "inverted", "other")
MARKS = (100, 250, 500)
_OTHER_SEED = 1000


@dataclass(frozen=True)
class Case:
    """One replay.

    Attributes:
        world: The world.
        prior_world: The world of the prior.
        method: The method.
        prior: The kind of the prior.
        seed: The seed.
        epochs: The number of epochs.
        prior_epochs: The number of epochs of the search that left the prior.
        data: The folder of LCBench's surrogate.
    """

    world: str
    prior_world: str
    method: str
    prior: str
    seed: int
    epochs: int
    prior_epochs: int
    data: Path | None


@cache
def course_of(world: str, method: str, seed: int, epochs: int, data: Path | None) -> Replay:
    """Return the course of a search without a prior."""
    one = METHODS[method]
    return replay(world_of(world, data), one.searcher, one.scheduler, epochs=epochs, seed=seed, start_s=START_S)


def lessons_of(course: Replay, prior: str, seed: int) -> list[Event]:
    """Return the events of a warm start from a search.

    Args:
        course: The course of the search.
        prior: What is done to its results: see ``PRIORS``.
        seed: The seed of the shuffling.
    """
    curves: dict[int, list[float]] = {}
    for trial, loss in zip(course.trials, course.losses, strict=True):
        curves.setdefault(trial, []).append(-loss if prior == "inverted" else loss)
    trials = sorted(curves)
    dealt = np.random.default_rng(seed).permutation(trials) if prior == "shuffled" else trials
    events: list[Event] = []
    for number, (trial, other) in enumerate(zip(trials, dealt, strict=True)):
        losses = curves[int(other)]
        status = Status.STOPPED if np.isfinite(losses).all() else Status.DIVERGED
        events.append(TrialStarted(time_s=0.0, trial=number, config=course.configs[trial], node=""))
        best = np.minimum.accumulate([loss for loss in losses if np.isfinite(loss)])
        for epoch, loss in enumerate(best.tolist(), start=1):
            events.append(EpochReported(time_s=0.0, trial=number, epoch=epoch, metrics={"val_loss": loss}, seconds=0.0))
        events.append(TrialEnded(time_s=0.0, trial=number, status=status, reason="", error=None))
    return events


def best_of(case: Case) -> NDArray[np.float64]:
    """Return the best loss after each epoch of a replay."""
    world, method = world_of(case.world, case.data), METHODS[case.method]
    lessons: Sequence[Event] = ()
    if case.prior != "none":
        earlier = course_of(case.prior_world, case.method, case.seed + _OTHER_SEED, case.prior_epochs, case.data)
        lessons = lessons_of(earlier, case.prior, case.seed)
    course = replay(
        world, method.searcher, method.scheduler, epochs=case.epochs, seed=case.seed, start_s=START_S, lessons=lessons
    )
    return course.best_losses()


def group_of(cases: Sequence[Case]) -> list[NDArray[np.float64]]:
    """Return the best losses of several replays, which share their searches without a prior."""
    return [best_of(case) for case in cases]


def groups(options: Namespace, worlds: list[str], data: Path | None) -> Iterator[list[Case]]:
    """Yield the replays in groups for one process each: all priors of one world, method and seed."""
    for method in options.methods:
        for world in worlds:
            family = [one for one in worlds if one.startswith("lcbench") is world.startswith("lcbench")]
            other = family[(family.index(world) + 1) % len(family)]
            for seed in range(options.first_seed, options.first_seed + options.seeds):
                yield [
                    Case(
                        world,
                        other if prior == "other" else world,
                        method,
                        prior,
                        seed,
                        options.epochs,
                        options.prior_epochs,
                        data,
                    )
                    for prior in options.priors
                ]


def epochs_to(values: NDArray[np.float64], level: float) -> int:
    """Return the first epoch after which a mean regret is at most a level; one more than there are if it never is."""
    reached = np.flatnonzero(values <= level)
    return int(reached[0]) + 1 if len(reached) else len(values) + 1


def parts_of_epochs(
    values: NDArray[np.float64], without: NDArray[np.float64], epochs: int
) -> tuple[float, float, float]:
    """Return the part of the epochs that reaches the end of the searches without a prior, and its 95 % interval.

    Args:
        values: The regret with a prior. Shape: (worlds, seeds, epochs).
        without: The regret without one. Shape: (worlds, seeds, epochs).
        epochs: The number of epochs that count as one.
    """
    rng = np.random.default_rng(0)
    mine, theirs = values.mean(0), without.mean(0)
    draws = [
        epochs_to(mine[chosen].mean(0), float(theirs[chosen, epochs - 1].mean())) / epochs
        for chosen in rng.integers(len(mine), size=(RESAMPLES, len(mine)))
    ]
    mean = epochs_to(mine.mean(0), float(theirs[:, epochs - 1].mean())) / epochs
    return mean, float(np.quantile(draws, 0.025)), float(np.quantile(draws, 0.975))


def options_of() -> Namespace:
    """Return the options of the command line."""
    parser = parser_of(__doc__)
    parser.add_argument("--worlds", nargs="+", default=["lcbench", "synthetic"])
    parser.add_argument("--methods", nargs="+", default=["foresight+asha", "hyperopt+asha"], choices=METHODS)
    parser.add_argument("--priors", nargs="+", default=list(PRIORS), choices=PRIORS)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=600, help="epochs of a replay; 500 of them are compared")
    parser.add_argument("--prior-epochs", type=int, default=500)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--data", type=Path)
    return parser.parse_args()


def main() -> None:
    """Make the replays, and print the table."""
    options = options_of()
    if "none" not in options.priors:
        options.priors.insert(0, "none")
    data = lcbench_folder(options.data) if any("lcbench" in name for name in options.worlds) else None
    worlds = worlds_of(options.worlds, data)
    begun_s = time.monotonic()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    cases = list(groups(options, worlds, data))
    with ProcessPoolExecutor(options.processes) as pool:
        made = list(pool.map(group_of, cases))
    best = {
        case: losses
        for group, results in zip(cases, made, strict=True)
        for case, losses in zip(group, results, strict=True)
    }
    table: dict[str, Any] = {}
    for family, is_real in (("lcbench", True), ("synthetic", False)):
        chosen = [world for world in worlds if world.startswith("lcbench") is is_real]
        for method in options.methods if chosen else ():
            rows = rows_of(best, chosen, method, options)
            table[f"{family}, {method}"] = rows
            print(f"\n{family}: {len(chosen)} worlds, {options.seeds} seeds, {method}")
            print(
                f"{'prior':>10} " + " ".join(f"{mark:>20}" for mark in MARKS) + "   epochs to what none has after 500"
            )
            for prior, row in rows.items():
                cells = " ".join(f"{mean:6.3f} ({low:.3f}-{high:.3f})" for mean, low, high in row["regret"].values())
                mean, low, high = row["epochs"]
                print(f"{prior:>10} {cells}   {mean:5.2f} ({low:.2f}-{high:.2f})")
    print(f"\n{sum(map(len, cases))} replays in {time.monotonic() - begun_s:.0f} s")
    write_figures(options, {"worlds": worlds, "seeds": options.seeds, "table": table})


def rows_of(
    best: dict[Case, NDArray[np.float64]], worlds: list[str], method: str, options: Namespace
) -> dict[str, dict[str, Any]]:
    """Return the figures of each prior of a method in a family of worlds."""
    by_prior: dict[str, list[NDArray[np.float64]]] = {prior: [] for prior in options.priors}
    for world in worlds:
        mine = {case: losses for case, losses in best.items() if (case.world, case.method) == (world, method)}
        losses = {
            prior: np.array([losses for case, losses in mine.items() if case.prior == prior])
            for prior in options.priors
        }
        zero = min(float(one[:, -1].min()) for one in losses.values())
        one = float(losses["none"][:, MARKS[0] - 1].mean())
        for prior in options.priors:
            by_prior[prior].append(regrets(losses[prior], zero, one))
    without = np.array(by_prior["none"])
    return {
        prior: {
            "regret": {mark: interval(np.array(values)[:, :, mark - 1]) for mark in MARKS},
            "epochs": parts_of_epochs(np.array(values), without, MARKS[-1]),
        }
        for prior, values in by_prior.items()
    }


if __name__ == "__main__":
    main()
