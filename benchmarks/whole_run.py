"""The time of a whole run and of its slowest configuration: every second of every worker, by part.

    KERAS_HOME=… python -m benchmarks.whole_run [--configurations 12] [--epochs 4] [--json FILE]

This project trains the configurations of equal_work.py, with clocks in its workers (watched.py). The time of a worker,
from the start of the command to its end, has these parts:

- start: the command, its imports, its data, Ray, and the worker's wait for its first trial;
- import: the worker's imports; those before its first trial are counted in CPU seconds;
- model: building the model, and finding out if an equal one was traced already;
- tracing: the time by which the first epoch and its validation exceed the median of the trial's later ones;
- feeding: gathering an epoch's batches in their order, measured alone in one thread, times the epochs;
- training: the rest of the epochs without their validation;
- validation; checkpoints: only the time that the training waits for them;
- other: the rest of the calls by Ray: the end of the previous trial, the report;
- reporting: from the end of one call to the next: Ray, the driver's decision, the next proposal;
- idle: no trial is left for this worker, while another worker still trains;
- end: from the last epoch of the run to the end of the command.
"""

from __future__ import annotations

import os
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from benchmarks import programs, work
from benchmarks.figures import parser_of, write_figures

PARTS = ("start", "import", "model", "tracing", "feeding", "training", "validation", "checkpoints")
PARTS += ("other", "reporting", "idle", "end")
PART_OF = {
    "build_model": "model",
    "input": "model",
    "variables, metrics": "model",
    "the model's fingerprint": "model",
    "values into a kept model": "model",
    "epoch": "training",
    **{part: part for part in PARTS},
}
"""The part of each clock, by the clock's name; a clock that is not here belongs to "other"."""

Line = dict[str, Any]
Seconds = dict[str, float]


def trial_seconds(lines: Sequence[Line], feeding_s: float) -> Seconds:
    """Return a trial's seconds by part, without the time between its calls and without imports.

    Args:
        lines: The records of the trial, in the order of time.
        feeding_s: Seconds to gather the batches of one epoch.
    """
    seconds: Seconds = defaultdict(float)
    for line in lines:
        for part, spent_s in line["spent_s"].items():
            if part != "import":
                seconds[PART_OF.get(part, "other")] += spent_s
    tracing_s, steps = 0.0, [line["spent_s"] for line in lines if line["call"] == "step"]
    for part in ("epoch", "validation"):
        took_s = [step.get(part, 0.0) for step in steps]
        excess_s = max(0.0, took_s[0] - statistics.median(took_s[1:])) if len(took_s) > 1 else 0.0
        seconds[PART_OF[part]] -= excess_s
        tracing_s += excess_s
    fed_s = min(feeding_s * len(steps), seconds["training"])
    seconds["training"] -= fed_s
    seconds |= {"tracing": tracing_s, "feeding": fed_s}
    return seconds


def waits(lines: Sequence[Line]) -> Iterator[tuple[int, float]]:
    """Yield the trial of each call and the seconds that the worker waited before it; its first call is left out."""
    for before, after in pairwise(lines):
        if before["worker"] == after["worker"]:
            yield after["trial"], after["begun_s"] - before["ended_s"]


def run_seconds(lines: Sequence[Line], trials: dict[int, Seconds], begun_s: float, ended_s: float) -> Seconds:
    """Return the seconds of all workers by part. They add up to the command's time multiplied by the number of workers.

    Args:
        lines: The records of all workers, grouped by worker.
        trials: The seconds of each trial by part, with its waits as "reporting".
        begun_s: Start of the command, as Unix time.
        ended_s: End of the command, as Unix time.
    """
    workers: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        workers[line["worker"]].append(line)
    seconds: Seconds = defaultdict(float)
    for trial in trials.values():
        for part, spent_s in trial.items():
            seconds[part] += spent_s
    last_s = max(line["ended_s"] for line in lines)
    for own in workers.values():
        waited_s, imported_s = own[0]["begun_s"] - begun_s, own[0]["cpu_before_s"]
        seconds["import"] += min(imported_s, waited_s) + sum(line["spent_s"].get("import", 0.0) for line in own)
        seconds["start"] += max(0.0, waited_s - imported_s)
        seconds["idle"] += last_s - own[-1]["ended_s"]
        seconds["end"] += ended_s - last_s
    return {part: seconds[part] for part in PARTS}


def feeding_s(data: str, batch_size: int) -> float:
    """Return the seconds that one thread needs to gather the batches of one epoch in a random order."""
    import numpy as np
    import tensorflow as tf

    (x, y), _ = work.load(data)
    order, inputs, labels = tf.constant(np.random.default_rng(0).permutation(len(x))), tf.constant(x), tf.constant(y)

    @tf.function(autograph=False)
    def epoch() -> Any:
        def one(begin: Any, kept: Any) -> tuple[Any, Any]:
            rows = order[begin : begin + batch_size]
            return begin + batch_size, kept + tf.gather(inputs, rows)[-1, -1] + float(1) * tf.cast(
                tf.gather(labels, rows)[-1], tf.float32
            )

        return tf.while_loop(lambda begin, _: begin < len(x), one, (tf.constant(0), tf.constant(0.0)))

    epoch()
    begun_s = time.perf_counter()
    epoch()
    return time.perf_counter() - begun_s


def table(run: Seconds, trial: Seconds) -> str:
    """Return a table of the run and of one trial, part by part."""
    lines = [f"{'':>12} {'all workers':>12} {'':>6} {'slowest trial':>14}"]
    whole = sum(run.values())
    for part in PARTS:
        own = f"{trial[part]:14.2f}" if part in trial else f"{'-':>14}"
        lines.append(f"{part:>12} {run[part]:12.2f} {run[part] / whole:6.1%} {own}")
    lines.append(f"{'together':>12} {whole:12.2f} {1:6.0%} {sum(trial.values()):14.2f}")
    return "\n".join(lines)


def main() -> None:
    """Run the configurations once, and print the table."""
    parser = parser_of(__doc__)
    parser.add_argument("--configurations", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--data", choices=sorted(work.VALIDATION_EXAMPLES))
    options = parser.parse_args()
    data, configurations = options.data or work.available_data(), work.configurations(options.configurations)
    order = {"configurations": configurations, "epochs": options.epochs, "cores": options.cores, "data": data}
    result = programs.run(["this_project.py", "--watched"], order)
    work.use_threads(1)
    fed_s = {size: feeding_s(data, size) for size in sorted({each["batch_size"] for each in configurations})}

    by_trial: dict[int, list[Line]] = defaultdict(list)
    for line in result["lines"]:
        by_trial[line["trial"]].append(line)
    configuration = {trial: configurations[own[0]["config"]["configuration"]] for trial, own in by_trial.items()}
    trials = {trial: trial_seconds(own, fed_s[configuration[trial]["batch_size"]]) for trial, own in by_trial.items()}
    for trial, waited_s in waits(result["lines"]):
        trials[trial]["reporting"] += waited_s
    run = run_seconds(result["lines"], trials, result["begun_s"], result["begun_s"] + result["seconds"])
    slowest = max(trials, key=lambda trial: sum(trials[trial].values()))
    print(f"{options.configurations} configurations x {options.epochs} epochs, {data}, {result['seconds']:.1f} s")
    print(f"the driver: {result['driver_cpu_s']:.1f} CPU s; the slowest trial: {configuration[slowest]}")
    print(table(run, trials[slowest]))
    figures = {"run": run, "by_trial": trials, "feeding_s": fed_s, "slowest": slowest}
    write_figures(options, {**order, **result, **figures})


if __name__ == "__main__":
    main()
