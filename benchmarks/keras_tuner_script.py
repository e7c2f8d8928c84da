"""The wall time of one script for KerasTuner, with KerasTuner's import and with ours, in turn.

    KERAS_HOME=… python -m benchmarks.keras_tuner_script [--trials 12] [--epochs 4] [--seeds 0 1 2] [--asha]

Both search the same space with RandomSearch, the same number of trials, epochs and seed. With ``--asha``, this project
searches with ``kt.ASHA``, with as many trials as ``--asha-trials`` says, and its time counts until the validation
accuracy that KerasTuner's search has found in the end. The table has two ratios of it: to the time of the whole search
of KerasTuner, which tells its best at its end, and to the time when an epoch of that search first had the accuracy.
`pip install -e .[bench]` installs KerasTuner.
"""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks import programs, work
from benchmarks.figures import parser_of, write_figures

THEIRS, OURS = "keras_tuner", "tune_jobs.keras_tuner"


def seconds_to(epochs: list[list[float]], accuracy: float) -> float | None:
    """Return the seconds after which a search had a validation accuracy; None if it never had.

    Args:
        epochs: The time of each epoch since the start, in seconds, and its validation accuracy.
        accuracy: The accuracy to reach.
    """
    return next((seconds for seconds, reached in epochs if reached >= accuracy), None)


def main() -> None:
    """Run both, one after the other, with each seed."""
    parser = parser_of(__doc__)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--asha", action="store_true")
    parser.add_argument("--asha-trials", type=int, help="trials of kt.ASHA (default: as many as KerasTuner's)")
    parser.add_argument("--data", choices=sorted(work.VALIDATION_EXAMPLES))
    options = parser.parse_args()
    order: dict[str, Any] = {
        "trials": options.trials,
        "epochs": options.epochs,
        "data": options.data or work.available_data(),
    }
    ours_order: dict[str, Any] = {**order, "module": OURS, "tuner": "RandomSearch"}
    if options.asha:
        ours_order |= {"tuner": "ASHA", "trials": options.asha_trials or options.trials}
    figures = []
    print(f"{order['data']}: {options.trials} trials of {options.epochs} epochs, {ours_order['trials']} of ours")
    print(
        f"{'seed':>4} {'theirs s':>9} {'first s':>9} {'ours s':>9} {'ratio':>6} {'first':>6}  best of theirs and ours"
    )
    for seed in options.seeds:
        ours = programs.run(["kerastuner_script.py"], {**ours_order, "seed": seed})
        theirs = programs.run(
            ["kerastuner_script.py"], {**order, "seed": seed, "module": THEIRS, "tuner": "RandomSearch"}
        )
        first_s = seconds_to(theirs["epochs"], theirs["best"])
        ours_s = seconds_to(ours["epochs"], theirs["best"]) if options.asha else ours["seconds"]
        ratios = {
            name: ratio_of(ours_s, whole_s) for name, whole_s in (("ratio", theirs["seconds"]), ("first", first_s))
        }
        figures.append({"seed": seed, "ours": ours, "theirs": theirs, **ratios})
        times = " ".join(f"{_shown(value):>9}" for value in (theirs["seconds"], first_s, ours_s))
        print(
            f"{seed:4} {times} {ratios['ratio']:6.2f} {ratios['first']:6.2f}  {theirs['best']:.4f} {ours['best']:.4f}"
        )
    for name in ("ratio", "first"):
        print(f"median of {name}: {statistics.median(one[name] for one in figures):.2f}")
    write_figures(options, figures)


def ratio_of(ours_s: float | None, theirs_s: float | None) -> float:
    """Return the ratio of two times; infinite where the accuracy was never reached."""
    return float("inf") if ours_s is None or not theirs_s else ours_s / theirs_s


def _shown(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f}"


if __name__ == "__main__":
    main()
