"""The wall time of whole commands: this project and its peers do the same trainings, in turn.

    KERAS_HOME=… python -m benchmarks.equal_work [--configurations 12 48] [--rounds 3] [--only NAME …] [--warm]

Every program of peers/ trains the same configurations (work.py) on the same data for the same number of epochs. The
data is Fashion-MNIST (54,000 examples) if KERAS_HOME has it, else scikit-learn's digits. All programs run several
steps per call and validate in batches of 1,024. A program that trains one model after another has all cores. One that
trains several at once has one thread per process. Each round runs all programs, this project first, so that a slow
machine slows all of them. Ratios are taken within a round. CPU seconds are those of the whole machine. `pip install -e
.[bench]` installs the peers.

With `--warm` this project's program finds a Ray that is kept warm. It is started before the rounds, with one run that
does not count, and ended after them.
"""

from __future__ import annotations

import os
import statistics
import time
from contextlib import nullcontext
from typing import Any

from benchmarks import programs, work
from benchmarks.figures import parser_of, write_figures

OURS = "this project"
SETTLES_S = 3.0  # after a run beside a warm Ray, while workers are made for the next one
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
    parser.add_argument("--warm", action="store_true", help="keep a Ray warm for this project's program")
    options = parser.parse_args()
    data = options.data or work.available_data()
    figures: list[dict[str, Any]] = []
    with programs.kept_warm() if options.warm else nullcontext(programs.OFF) as warm:
        settings = {"epochs": options.epochs, "cores": options.cores, "data": data}
        if options.warm:
            run(OURS, {**settings, "configurations": work.configurations(1)}, warm)
        for count in options.configurations:
            heading = f"{count} configurations x {options.epochs} epochs, {data}, {options.cores} cores"
            print(f"{heading}, warm" if options.warm else heading, flush=True)
            rounds: list[dict[str, Any]] = []
            figures.append({"configurations": count, **settings, "warm": options.warm, "rounds": rounds})
            for number in range(options.rounds):
                rounds.append({})
                for name in options.only:
                    rounds[-1][name] = run(name, {**settings, "configurations": work.configurations(count)}, warm)
                    print(f"round {number + 1}: {name} {rounds[-1][name]['seconds']:.1f} s", flush=True)
                    write_figures(options, figures)
            print(table(rounds), flush=True)


def run(name: str, order: dict[str, Any], warm: str) -> dict[str, Any]:
    """Run a program.

    Args:
        name: Its name.
        order: What it does.
        warm: The name of the Ray that is kept warm for this project's program; "off" without one.

    Raises:
        RuntimeError: There is a warm Ray, and this project's program did not use it.
    """
    done = programs.run(PROGRAMS[name], order, warm=warm if name == OURS else programs.OFF)
    if name == OURS and warm != programs.OFF:
        if not done["is_warm"]:
            raise RuntimeError(f"The run did not use the warm Ray. Its notes: {' '.join(done['notes'])}")
        time.sleep(SETTLES_S)
    return done


if __name__ == "__main__":
    main()
