"""The wall time of one script for KerasTuner, with KerasTuner's import and with ours, in turn.

    KERAS_HOME=… python -m benchmarks.keras_tuner_script [--trials 12] [--epochs 4] [--seeds 0 1 2] [--asha]

Both search the same space with RandomSearch, the same number of trials, epochs and seed. With ``--asha``, this project
searches with ``kt.ASHA``, and the time counts until the validation accuracy that KerasTuner's search has found in the
end. `pip install -e .[bench]` installs KerasTuner.
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
    parser.add_argument("--data", choices=sorted(work.VALIDATION_EXAMPLES))
    options = parser.parse_args()
    order: dict[str, Any] = {
        "trials": options.trials,
        "epochs": options.epochs,
        "data": options.data or work.available_data(),
    }
    figures, ratios = [], []
    print(f"{order['data']}: {options.trials} trials of {options.epochs} epochs")
    print(f"{'seed':>4} {'theirs s':>9} {'ours s':>9} {'ratio':>6}  best of theirs and ours")
    for seed in options.seeds:
        ours = programs.run(
            ["kerastuner_script.py"],
            {**order, "seed": seed, "module": OURS, "tuner": "ASHA" if options.asha else "RandomSearch"},
        )
        theirs = programs.run(
            ["kerastuner_script.py"], {**order, "seed": seed, "module": THEIRS, "tuner": "RandomSearch"}
        )
        figures.append({"seed": seed, "ours": ours, "theirs": theirs})
        before, now = theirs["seconds"], ours["seconds"]
        if options.asha:
            before, now = (seconds_to(each["epochs"], theirs["best"]) for each in (theirs, ours))
        ratio = now / before if now is not None else None
        ratios.append(float("inf") if ratio is None else ratio)
        shown = ("never" if value is None else f"{value:.1f}" for value in (before, now))
        print(f"{seed:4} {next(shown):>9} {next(shown):>9} {ratios[-1]:6.2f}  {theirs['best']:.4f} {ours['best']:.4f}")
    print(f"median ratio {statistics.median(ratios):.2f}")
    write_figures(options, figures)


if __name__ == "__main__":
    main()
