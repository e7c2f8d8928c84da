"""How long a search takes until it knows a model of a given validation accuracy, here and with peers, in turn.

    KERAS_HOME=… python -m benchmarks.time_to_accuracy [--target 0.885] [--epochs 9] [--seeds 5] [--limit-s 600]
        [--only NAME …] [--json FILE]

All search the same space (mlp_space.py) with the same model builder and data (work.py), and train a trial for at most
as many epochs: Fashion-MNIST (54,000 examples to train on, 6,000 for validation) where KERAS_HOME has it, else
scikit-learn's digits. Time is wall time from the start of the command, imports and Ray's start included, until the
process that searches knows of the first epoch that meets the target: then it stops. Each program says in its file what
a careful user would set. Each seed runs all programs in turn, this project first; a search that is not there after the
limit counts as the limit, marked ">". Searches with the same seed have nothing in common but the machine's mood:
medians are compared, and ratios within a seed are told beside them. CPU seconds are the whole machine's, from
the start of the command to its end. Seeds are far apart: KerasTuner counts up from its seed, and ignores 0.
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
"""What a program is given beyond its limit: it looks at the clock after every epoch, and Ray has to end."""


def seconds_of(figure: dict[str, Any], limit_s: float) -> float:
    """When the target was met; the limit where it was not."""
    return limit_s if figure["met_s"] is None else min(float(figure["met_s"]), limit_s)


def table(rounds: list[dict[str, Any]], limit_s: float) -> str:
    """Medians, this project's as a part of each peer's, and what each seed took."""
    lines = [f"{'':>24} {'seconds':>8} {'CPU s':>7} {'epochs':>7} {'ratio':>6}  seconds (ratio) by seed"]
    for name in rounds[0]:
        seconds = [seconds_of(each[name], limit_s) for each in rounds]
        ours = [seconds_of(each[OURS], limit_s) for each in rounds if OURS in each]
        ratios = [our / each for our, each in zip(ours, seconds, strict=False)]
        cpu_s, epochs = (statistics.median(each[name][key] for each in rounds) for key in ("machine_cpu_s", "epochs"))
        told = [
            f"{'>' if each[name]['met_s'] is None else ''}{own:.0f}" for each, own in zip(rounds, seconds, strict=True)
        ]
        if ratios:
            told = [f"{each} ({ratio:.2f})" for each, ratio in zip(told, ratios, strict=True)]
        middle_s = statistics.median(seconds)
        middle = f"{'>' if middle_s >= limit_s else ''}{middle_s:.1f}"
        ratio = f"{statistics.median(ours) / middle_s:.2f}" if ours else "-"
        lines.append(f"{name:>24} {middle:>8} {cpu_s:7.0f} {epochs:7.0f} {ratio:>6}  {'  '.join(told)}")
    return "\n".join(lines)


def main() -> None:
    """Runs all programs once a seed."""
    parser = parser_of(__doc__)
    parser.add_argument("--data", choices=sorted(TARGETS))
    parser.add_argument("--target", type=float, help=f"validation accuracy; by default {TARGETS}")
    parser.add_argument("--epochs", type=int, default=9, help="of a trial at most")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--limit-s", type=float, default=600.0)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    chosen = parser.parse_args()
    data = chosen.data or work.available_data()
    target = chosen.target or TARGETS[data]
    asked = {"data": data, "target": target, "epochs": chosen.epochs, "cores": chosen.cores, "limit_s": chosen.limit_s}
    print(f"val_accuracy {target}, {data}, {chosen.epochs} epochs a trial, {chosen.cores} cores", flush=True)
    rounds: list[dict[str, Any]] = []
    for number in range(1, chosen.seeds + 1):
        rounds.append({})
        for name in chosen.only:
            order = {**asked, "seed": number * SEED_DISTANCE}
            figure = programs.run(PROGRAMS[name], order, timeout_s=chosen.limit_s + GRACE_S)
            rounds[-1][name] = figure
            outcome = f"not met in {chosen.limit_s:.0f} s" if figure["met_s"] is None else f"{figure['met_s']:.1f} s"
            print(f"seed {number}: {name} {outcome} ({figure['epochs']} epochs, best {figure['best']:.4f})", flush=True)
            write_figures(chosen, {**asked, "rounds": rounds})
    print(table(rounds, chosen.limit_s))


if __name__ == "__main__":
    main()
