"""Trials an hour when 1, 2, 4 and 8 of them train together in one process, beside one after another alone.

    KERAS_BACKEND=jax python -m benchmarks.together [--lanes 1 2 4 8] [--epochs 10] [--models mlp cnn] [--json FILE]

No Ray is started: one process trains, as a worker of a run does. The trials differ in their learning rates. On a
machine with a GPU that JAX sees, they train there. The first epoch, which compiles, stands apart from the later ones.
Each count of lanes runs in a process of its own, without the programs that JAX kept on disk.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import parser_of, write_figures

EXAMPLES = {"train": 4096, "validation": 1024}
MODELS = ("mlp", "cnn")
ALONE = 0
_CHILD = "TOGETHER_BENCHMARK"


def main() -> None:
    """Measure each count of lanes for each model, and print a table."""
    options = _options()
    if order := os.environ.get(_CHILD):
        print(json.dumps(measure(**json.loads(order))))
        return
    figures: dict[str, Any] = {}
    print(f"{'model':5}  {'trials':>9}  {'device':6}  {'first epoch':>11}  {'epoch':>7}  {'trials an hour':>14}  ratio")
    for model in options.models:
        for lanes in (ALONE, *options.lanes):
            found = _in_a_process({"model": model, "lanes": lanes, "epochs": options.epochs})
            figures[f"{model}, {lanes or 'alone'}"] = found
            alone = figures[f"{model}, alone"]["trials_an_hour"]
            print(
                f"{model:5}  {lanes or 'alone':>9}  {found['device']:6}  {found['first_s']:9.2f} s  "
                f"{found['epoch_s']:5.3f} s  {found['trials_an_hour']:14.0f}  {found['trials_an_hour'] / alone:.2f}",
                flush=True,
            )
    write_figures(options, figures)


def measure(model: str, lanes: int, epochs: int) -> dict[str, Any]:
    """Return the seconds of epochs, and the trials an hour that follow from those after the first.

    Args:
        model: "mlp" or "cnn".
        lanes: The number of trials that train together; ``ALONE``: one trial, as without lanes.
        epochs: The number of epochs of each.
    """
    import jax

    from trainables import TrialSettings
    from trainables.settings import ControlValues
    from trainables.together import TrainedTogether

    os.environ.setdefault("JAX_ENABLE_COMPILATION_CACHE", "false")
    jax.config.update("jax_enable_compilation_cache", False)
    trainable, settings, data = _trainable(model), TrialSettings(max_epochs=epochs), _data()
    configs = {lane: ControlValues(lane, 0).wrap({"rate": 0.001 * (lane + 1)}) for lane in range(max(1, lanes))}
    seconds = []
    if lanes == ALONE:
        held = trainable.standalone(configs[0], data, settings)
        steps = [held.step] * epochs
    else:
        together = TrainedTogether(trainable, data, settings)
        steps = [lambda: together.train(configs), *[lambda: together.train(dict.fromkeys(configs))] * (epochs - 1)]
    for step in steps:
        begun_s = time.perf_counter()
        report = step()
        seconds.append(time.perf_counter() - begun_s)
        for each in [report] if lanes == ALONE else report.values():
            if problem := each.get("mistake") or each.get("error"):
                raise RuntimeError(problem)
    epoch_s = float(np.median(seconds[1:]))
    return {
        "device": jax.default_backend(),
        "first_s": seconds[0],
        "epoch_s": epoch_s,
        "trials_an_hour": max(1, lanes) * 3600 / (epoch_s * epochs),
        "together": {} if lanes == ALONE else together.meeting.together,
    }


def _trainable(model: str) -> Any:
    import keras

    from trainables import KerasTrainable

    def layers() -> list[Any]:
        dense = [keras.layers.Dense(128, "relu"), keras.layers.Dropout(0.2), keras.layers.Dense(10, "softmax")]
        if model == "mlp":
            return [keras.layers.Flatten(), keras.layers.Dense(128, "relu"), *dense]
        convolutions = [keras.layers.Conv2D(8, 3, activation="relu"), keras.layers.MaxPooling2D()]
        return [*convolutions, keras.layers.Conv2D(8, 3, 2, activation="relu"), keras.layers.Flatten(), *dense]

    class Images(KerasTrainable):
        batch_size = 64

        def build_model(self, config: dict[str, Any]) -> Any:
            network = keras.Sequential([keras.Input((28, 28, 1)), *layers()])
            optimizer = keras.optimizers.Adam(config["rate"])
            network.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
            return network

    return Images


def _data() -> Any:
    from trainables import Data

    generator = np.random.default_rng(0)

    def split(examples: int) -> tuple[np.ndarray, np.ndarray]:
        y = generator.integers(0, 10, examples).astype("int32")
        x = generator.normal(size=(examples, 28, 28, 1)) + 0.1 * y[:, None, None, None]
        return x.astype("float32"), y

    return Data(train=split(EXAMPLES["train"]), validation=split(EXAMPLES["validation"]))


def _in_a_process(order: dict[str, Any]) -> dict[str, Any]:
    environment = {**os.environ, "KERAS_BACKEND": "jax", _CHILD: json.dumps(order), "TF_CPP_MIN_LOG_LEVEL": "3"}
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.together"],
        env=environment,
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode:
        raise RuntimeError(child.stderr[-3000:])
    found: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    return found


def _options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--lanes", type=int, nargs="+", default=[1, 2, 4, 8], help="trials that train together")
    parser.add_argument("--epochs", type=int, default=10, help="epochs of each trial")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS), help="the models")
    return parser.parse_args()


if __name__ == "__main__":
    main()
