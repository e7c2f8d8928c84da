"""What adjusting the learning rate is worth on digits, and what it costs.

    python -m benchmarks.hypergradient
    python -m benchmarks.hypergradient --cost digits_mlp fashion_mnist_mlp

The first prints the best validation accuracy of a network that starts at a good rate, at a hundredth of it and at a
hundred times it, with the rate fixed and adjusted. The second prints the seconds of an epoch with adjusted rates,
divided by those of plain training: medians over epochs that take turns, without the first one.
"""

from __future__ import annotations

import argparse
import os
import statistics
from importlib import import_module
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

GOOD_RATES = {"sgd": 0.1, "adam": 0.003, "rmsprop": 0.003, "adagrad": 0.03}
FACTORS = (1.0, 0.01, 100.0)
EPOCHS = 20
SEEDS = (0, 1, 2)
COST_EPOCHS = 7


def accuracies(trainable: type[Any], data: Any, config: dict[str, Any], seed: int) -> tuple[list[float], float | None]:
    """Return the validation accuracy after each epoch, and the last learning rate if it is adjusted."""
    from trainables import TrialSettings

    settings = TrialSettings("val_accuracy", "max", max_epochs=EPOCHS, seed=seed)
    trial = trainable.standalone(config, data, settings)
    reports = [trial.step() for _ in range(EPOCHS)]
    trial.cleanup()
    scores = [float(report["metrics"].get("val_accuracy") or 0) if report["metrics"] else 0.0 for report in reports]
    return scores, (reports[-1]["metrics"] or {}).get("learning_rate")


def compare_starts() -> None:
    """Print the table of starts."""
    from trainables import Hypergradient
    from trainables.examples.digits_mlp import DigitsMlp

    adjusted = type("Adjusted", (DigitsMlp,), {"hypergradient": Hypergradient()})
    data = DigitsMlp().load_data()
    print("| optimizer | start | fixed: best, last | adjusted: best, last | its last rates |")
    print("|---|---|---|---|---|")
    for optimizer, good in GOOD_RATES.items():
        for factor in FACTORS:
            config = {"optimizer": optimizer, "learning_rate": good * factor, "layers": 2, "batch_size": 32}
            cells, rates = [], []
            for trainable in (DigitsMlp, adjusted):
                results = [accuracies(trainable, data, config, seed) for seed in SEEDS]
                best = statistics.mean(max(scores) for scores, _ in results)
                last = statistics.mean(scores[-1] for scores, _ in results)
                cells.append(f"{best:.3f}, {last:.3f}")
                rates = [f"{rate:.2g}" for _, rate in results if rate is not None]
            print(f"| {optimizer} | {good * factor:g} | {' | '.join(cells)} | {', '.join(rates)} |", flush=True)


def measure_cost(example: str) -> None:
    """Print the cost on an example, for the default and for some other numbers of steps between adjustments."""
    from trainables import Hypergradient

    plain = import_module(f"tune_jobs.examples.{example}").EXPERIMENT.trainable
    data = plain().load_data()
    ways: dict[str, Any] = {"plain": None}
    ways |= {f"every={every}": Hypergradient(every=every) for every in (5, 10, 20)}
    config = {"layers": 2, "batch_size": 32 if example == "digits_mlp" else 128, "learning_rate": 1e-3}
    classes = {name: type("Way", (plain,), {"hypergradient": way}) for name, way in ways.items()}
    trials = {name: each.standalone(config, data) for name, each in classes.items()}
    seconds: dict[str, list[float]] = {name: [] for name in trials}
    for _ in range(COST_EPOCHS):
        for name, trial in trials.items():
            trial.step()
            seconds[name].append(trial.current_trial.training.last.seconds)
    medians = {name: statistics.median(values[1:]) for name, values in seconds.items()}
    for name, median in medians.items():
        print(f"{example} {name}: {median:.3f} s an epoch, ratio {median / medians['plain']:.2f}", flush=True)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cost", nargs="+", metavar="EXAMPLE", help="measure the cost on these examples instead")
    asked = parser.parse_args()
    if asked.cost:
        for example in asked.cost:
            measure_cost(example)
    else:
        compare_starts()


if __name__ == "__main__":
    main()
