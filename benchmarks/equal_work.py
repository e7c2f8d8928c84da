"""The wall time of whole commands: this project and its peers do the same trainings, in turn.

    KERAS_HOME=… python -m benchmarks.equal_work [--configurations 12 48] [--epochs 4] [--rounds 3] [--only NAME …]

Every program of peers/ trains the same configurations (work.py) on the same data for the same number of epochs. The
data is Fashion-MNIST (54,000 examples) if KERAS_HOME has it, else scikit-learn's digits. All programs run several
steps per call and validate in batches of 1,024. A program that trains one model after another has all cores. One that
trains several at once has one thread per process. Each round runs all programs, this project first, so that a slow
machine slows all of them. Ratios are taken within a round. CPU seconds are those of the whole machine. `pip install -e
.[bench]` installs the peers.
"""

from __future__ import annotations

import os
import statistics
from typing import Any

from benchmarks import programs, work
from benchmarks.figures import parser_of, write_figures

OURS = "this project"
PROGRAMS = {
    OURS: ["this_project.py"],
    "bare Keras": ["bare_keras.py"],
    "KerasTuner": ["kerastuner.py"],
    "Optuna": ["optuna_alone.py"],
    "Ray Tune, workers reused": ["ray_tune.py", "--reuse"],
    "Ray Tune": ["ray_tune.py"],
}


def table(rounds: list[dict[str, Any]]) -> str:
    """Return medians as a table, with the ratio of this project's time to each peer's, round by round."""
    lines = [f"{'':>26} {'seconds':>9} {'CPU s':>7} {'ratio':>7}  {'ratios by round':<24} trials  best"]
    for name in rounds[0]:
        seconds, cpu_s = ([each[name][key] for each in rounds] for key in ("seconds", "machine_cpu_s"))
        ratios = [each[OURS]["seconds"] / each[name]["seconds"] for each in rounds if OURS in each]
        middle = f"{statistics.median(ratios):7.2f}" if ratios else f"{'-':>7}"
        each = " ".join(f"{ratio:.2f}" for ratio in ratios)
        last = rounds[-1][name]
        lines.append(
            f"{name:>26} {statistics.median(seconds):9.1f} {statistics.median(cpu_s):7.1f} {middle}  {each:<24} "
            f"{last['trials']:6} {last['best']:.4f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the rounds of each number of configurations."""
    parser = parser_of(__doc__)
    parser.add_argument("--configurations", type=int, nargs="+", default=[12, 48])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--data", choices=sorted(work.VALIDATION_EXAMPLES))
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    options = parser.parse_args()
    data = options.data or work.available_data()
    figures: list[dict[str, Any]] = []
    for count in options.configurations:
        settings = {"epochs": options.epochs, "cores": options.cores, "data": data}
        print(f"{count} configurations x {options.epochs} epochs, {data}, {options.cores} cores", flush=True)
        rounds: list[dict[str, Any]] = []
        figures.append({"configurations": count, **settings, "rounds": rounds})
        for number in range(options.rounds):
            rounds.append({})
            for name in options.only:
                order = {**settings, "configurations": work.configurations(count)}
                rounds[-1][name] = programs.run(PROGRAMS[name], order)
                print(f"round {number + 1}: {name} {rounds[-1][name]['seconds']:.1f} s", flush=True)
                write_figures(options, figures)
        print(table(rounds), flush=True)


if __name__ == "__main__":
    main()
