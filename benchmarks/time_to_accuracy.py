"""The time that a search needs for a model of a given validation accuracy, here and with peers, in turn.

    KERAS_HOME=… python -m benchmarks.time_to_accuracy [--target 0.885] [--epochs 9] [--seeds 5] [--limit-s 600]
        [--only NAME …] [--json FILE]

All programs search the same space (mlp_space.py) with the same model builder and data (work.py), and have the same
limit of epochs per trial. The data is Fashion-MNIST (54,000 examples to train on, 6,000 for validation) if KERAS_HOME
has it, else scikit-learn's digits. Time is wall time from the start of the command, with imports and Ray's start,
until the searching process knows of the first epoch that meets the target; then it stops. Each program's file says
which settings a careful user would choose. Each seed runs all programs in turn, this project first. A search that
misses the target within the limit counts as the limit, marked ">". Searches with the same seed have only the state of
the machine in common, so medians are compared; ratios within a seed are printed beside them. CPU seconds are those of
the whole machine, from the start of the command to its end. Seeds are far apart because KerasTuner counts up from its
seed; it ignores 0.
"""

from __future__ import annotations

import os
import statistics
from typing import Any

from benchmarks import programs, work
from benchmarks.figures import parser_of, write_figures

OURS = "this project"
PROGRAMS = {
    OURS: ["this_project_search.py"],
    "KerasTuner RandomSearch": ["kerastuner_search.py"],
    "KerasTuner Hyperband": ["kerastuner_search.py", "--hyperband"],
    "Ray, HyperOpt + ASHA": ["ray_search.py"],
}
TARGETS = {"fashion_mnist": 0.885, "digits": 0.95}
SEED_DISTANCE = 10_007
GRACE_S = 180
"""Seconds that a program gets beyond its limit: it reads the clock after every epoch, and Ray must stop."""


def seconds_of(figure: dict[str, Any], limit_s: float) -> float:
    """Return the seconds after which the target was met, or the limit if it was missed."""
    return limit_s if figure["met_s"] is None else min(float(figure["met_s"]), limit_s)


def table(rounds: list[dict[str, Any]], limit_s: float) -> str:
    """Return a table of medians, of this project's ratio to each peer, and of the seconds of each seed."""
    lines = [f"{'':>24} {'seconds':>8} {'CPU s':>7} {'epochs':>7} {'ratio':>6}  seconds (ratio) by seed"]
    for name in rounds[0]:
        seconds = [seconds_of(each[name], limit_s) for each in rounds]
        ours = [seconds_of(each[OURS], limit_s) for each in rounds if OURS in each]
        ratios = [our / each for our, each in zip(ours, seconds, strict=False)]
        cpu_s, epochs = (statistics.median(each[name][key] for each in rounds) for key in ("machine_cpu_s", "epochs"))
        by_seed = [
            f"{'>' if each[name]['met_s'] is None else ''}{own:.0f}" for each, own in zip(rounds, seconds, strict=True)
        ]
        if ratios:
            by_seed = [f"{each} ({ratio:.2f})" for each, ratio in zip(by_seed, ratios, strict=True)]
        middle_s = statistics.median(seconds)
        middle = f"{'>' if middle_s >= limit_s else ''}{middle_s:.1f}"
        ratio = f"{statistics.median(ours) / middle_s:.2f}" if ours else "-"
        lines.append(f"{name:>24} {middle:>8} {cpu_s:7.0f} {epochs:7.0f} {ratio:>6}  {'  '.join(by_seed)}")
    return "\n".join(lines)


def main() -> None:
    """Run all programs once for each seed."""
    parser = parser_of(__doc__)
    parser.add_argument("--data", choices=sorted(TARGETS))
    parser.add_argument("--target", type=float, help=f"validation accuracy; by default {TARGETS}")
    parser.add_argument("--epochs", type=int, default=9, help="most epochs of a trial")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--limit-s", type=float, default=600.0)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    options = parser.parse_args()
    data = options.data or work.available_data()
    target = options.target or TARGETS[data]
    settings = {
        "data": data,
        "target": target,
        "epochs": options.epochs,
        "cores": options.cores,
        "limit_s": options.limit_s,
    }
    print(f"val_accuracy {target}, {data}, {options.epochs} epochs a trial, {options.cores} cores", flush=True)
    rounds: list[dict[str, Any]] = []
    for number in range(1, options.seeds + 1):
        rounds.append({})
        for name in options.only:
            order = {**settings, "seed": number * SEED_DISTANCE}
            figure = programs.run(PROGRAMS[name], order, timeout_s=options.limit_s + GRACE_S)
            rounds[-1][name] = figure
            outcome = f"not met in {options.limit_s:.0f} s" if figure["met_s"] is None else f"{figure['met_s']:.1f} s"
            print(f"seed {number}: {name} {outcome} ({figure['epochs']} epochs, best {figure['best']:.4f})", flush=True)
            write_figures(options, {**settings, "rounds": rounds})
    print(table(rounds, options.limit_s))


if __name__ == "__main__":
    main()
