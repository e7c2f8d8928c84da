"""The cost of a trial to its worker beside its epochs, for a new architecture and for one that the worker has seen.

    KERAS_HOME=… python -m benchmarks.where_time_goes [--trials 6] [--examples 4096] [--json FILE]

It is one process, like a worker of a run. Trials of three epochs follow each other, each with a checkpoint after its
first epoch. `wall` and `CPU` are medians in seconds. A part is timed at its function, without the parts that this
function calls. The fixed cost is everything but the epochs, plus the time by which the first epoch exceeds the third.
"""

from __future__ import annotations

import statistics
import tempfile
from typing import Any

from benchmarks import work
from benchmarks.clock import Clock, wrapped
from benchmarks.figures import parser_of, write_figures

PARTS = ("build_model", "input", "variables, metrics", "the model's fingerprint", "values into a kept model")
PARTS += ("first epoch, beyond a later one", "a later epoch", "checkpoint, report", "end of the trial before")


def trial(worker: Any, clock: Clock, config: dict[str, Any]) -> dict[str, list[float]]:
    """Train three epochs of one trial. Return wall and CPU seconds by part."""
    clock.spent = {}
    clock.time("end of the trial before", lambda: worker.reset_config(config))
    clock.time("model", lambda: worker.current_trial.training)
    epochs = []
    for _ in range(3):
        before = list(clock.spent.get("epoch", [0.0, 0.0]))
        report = clock.time("checkpoint, report", worker.step)
        if error := report.get("mistake") or report.get("error"):
            raise SystemExit(error)
        epochs.append([now - then for now, then in zip(clock.spent["epoch"], before, strict=True)])
    spent = {name: clock.spent.get(name, [0.0, 0.0]) for name in PARTS if "epoch" not in name}
    spent["first epoch, beyond a later one"] = [
        first - third for first, third in zip(epochs[0], epochs[2], strict=True)
    ]
    spent["a later epoch"] = epochs[2]
    return spent


def main() -> None:
    """Train the trials, and print the table."""
    parser = parser_of(__doc__)
    parser.add_argument("--trials", type=int, default=6, help="trials of each kind")
    parser.add_argument("--examples", type=int, default=4096)
    parser.add_argument("--data", choices=sorted(work.VALIDATION_EXAMPLES), default="digits")
    options = parser.parse_args()

    from trainables import Data, KerasTrainable, TrialSettings
    from trainables.settings import TRIAL_KEY

    class Mlp(KerasTrainable):
        """The trainable of the common model."""

        def build_model(self, config: dict[str, Any]) -> Any:
            """Return the common model."""
            return work.build(config, data.train[0].shape[1])

    (x, y), validation = work.load(options.data)
    data = Data((x[: options.examples], y[: options.examples]), validation)
    base = {"units": [64, 64], "dropout": 0.2, "optimizer": "Adam", "learning_rate": 0.01, "batch_size": 128}
    rows: dict[str, list[dict[str, list[float]]]] = {"new": [], "seen": []}
    with tempfile.TemporaryDirectory() as folder:
        settings = TrialSettings("val_accuracy", max_epochs=9, gpus=0, folder=folder, milestones=(1,))
        worker = Mlp.standalone(base, data, settings)
        clock = wrapped()
        worker.step()
        for number in range(1, 2 * options.trials + 1):
            kind = "seen" if number % 2 else "new"
            config = {**base, TRIAL_KEY: number, "learning_rate": 0.01 / number}
            if kind == "new":
                config["units"] = [64 + number, 64]
            rows[kind].append(trial(worker, clock, config))
        worker.cleanup()
    print(table(rows))
    write_figures(options, rows)


def table(rows: dict[str, list[dict[str, list[float]]]]) -> str:
    """Return a table of medians by part and kind of trial."""
    lines = [f"{'':>34} {'new: wall':>10} {'CPU':>7} {'seen: wall':>11} {'CPU':>7}"]
    fixed = [0.0] * 4
    for part in PARTS:
        middle = [statistics.median(row[part][kind] for row in rows[name]) for name in rows for kind in (0, 1)]
        lines.append(f"{part:>34} {middle[0]:10.3f} {middle[1]:7.3f} {middle[2]:11.3f} {middle[3]:7.3f}")
        if part != "a later epoch":
            fixed = [total + each for total, each in zip(fixed, middle, strict=True)]
    lines.append(f"{'fixed cost':>34} {fixed[0]:10.3f} {fixed[1]:7.3f} {fixed[2]:11.3f} {fixed[3]:7.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
