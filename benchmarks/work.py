"""The work that all programs of peers/ do: the same data, configurations, model and epochs."""

from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

VALIDATION_EXAMPLES = {"fashion_mnist": 6000, "digits": 297}
INPUTS = {"fashion_mnist": 784, "digits": 64}
IMAGES = "train-images-idx3-ubyte.gz", 16
LABELS = "train-labels-idx1-ubyte.gz", 8


def read_order() -> dict[str, Any]:
    """Return this program's order: data, epochs, cores, a folder to write in, and the benchmark's own values."""
    order: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    return order


def load(name: str) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return (x, y) to train on and (x, y) to validate on; x is float32 in [0, 1], flat.

    The files of Keras are read without Keras, as this project's own reader does: no program imports it for that.
    """
    if name == "fashion_mnist":
        x = _idx(*IMAGES).reshape(-1, INPUTS[name]).astype("float32") / 255
        y = _idx(*LABELS)
    else:
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        x = (x / 16).astype("float32")
    y, held_out = y.astype("int32"), VALIDATION_EXAMPLES[name]
    return (x[held_out:], y[held_out:]), (x[:held_out], y[:held_out])


def available_data() -> str:
    """Return the name of the data: Fashion-MNIST if KERAS_HOME has it, else the digits, with a line about it."""
    if all((_fashion_mnist() / name).is_file() for name, _ in (IMAGES, LABELS)):
        return "fashion_mnist"
    print(f"There is no Fashion-MNIST in {_fashion_mnist()}: set KERAS_HOME. The digits are used instead.", flush=True)
    return "digits"


def _fashion_mnist() -> Path:
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"), "datasets", "fashion-mnist")


def _idx(name: str, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress((_fashion_mnist() / name).read_bytes()), np.uint8, offset=header)


def configurations(count: int) -> list[dict[str, Any]]:
    """Return the first ones of a fixed sequence: one to three layers of 32 to 256 units, as a search proposes them."""
    generator = np.random.default_rng(0)
    return [
        {
            "units": [int(units) for units in generator.choice([32, 64, 128, 256], size=generator.integers(1, 4))],
            "dropout": float(generator.choice([0.0, 0.2, 0.4])),
            "optimizer": str(generator.choice(["Adam", "SGD"])),
            "learning_rate": float(10 ** generator.uniform(-3.5, -1.5)),
            "batch_size": int(generator.choice([64, 128, 256])),
        }
        for _ in range(count)
    ]


def build(config: dict[str, Any], inputs: int) -> Any:
    """Return the compiled model of a configuration, with 32 steps per call, as a careful user of Keras writes it."""
    import keras

    layers: list[Any] = []
    for units in config["units"]:
        layers.append(keras.layers.Dense(units, activation="relu"))
        if config["dropout"]:
            layers.append(keras.layers.Dropout(config["dropout"]))
    model = keras.Sequential([keras.Input((inputs,)), *layers, keras.layers.Dense(10, activation="softmax")])
    optimizer = getattr(keras.optimizers, config["optimizer"])(config["learning_rate"])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], steps_per_execution=32)
    return model


def use_threads(threads: int) -> None:
    """Limit TensorFlow to a number of threads. This must come before it computes anything."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def fit(model: Any, config: dict[str, Any], data: Any, epochs: int, callbacks: Any = ()) -> float:
    """Train with plain Keras, and return the best validation accuracy."""
    (x, y), validation = data
    history = model.fit(
        x,
        y,
        batch_size=config["batch_size"],
        epochs=epochs,
        validation_data=validation,
        validation_batch_size=1024,
        callbacks=list(callbacks),
        verbose=0,
    )
    return float(max(history.history["val_accuracy"]))


def write_result(accuracies: list[float], **more: Any) -> None:
    """Write the result: the number of trainings, the best accuracy, and the program's own values."""
    result = {"trials": len(accuracies), "best": max(accuracies), **more}
    Path(sys.argv[1]).with_suffix(".out").write_text(json.dumps(result))
