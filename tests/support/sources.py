"""Sources of every kind that yield the same 75 examples in ten batches, and a model that trains on them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainables import Data, FitOptions, KerasTrainable

EXAMPLES, BATCH, BATCHES = 75, 8, 10

_generator = np.random.default_rng(0)
X = _generator.normal(size=(EXAMPLES, 4)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] > 0).astype(np.int32)


def dataset() -> Any:
    """Single examples."""
    return tf.data.Dataset.from_tensor_slices((X, Y))


def unknown() -> Any:
    """Batches of a number that nobody knows."""
    return dataset().batch(BATCH).filter(lambda x, y: True)


def batches() -> Iterator[Any]:
    """Yield batches of arrays."""
    for start in range(0, EXAMPLES, BATCH):
        yield X[start : start + BATCH], Y[start : start + BATCH]


def examples() -> Iterator[Any]:
    """Yield single examples."""
    yield from zip(X, Y, strict=True)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches, and a record of what Keras told about epochs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.ended = 0

    def __len__(self) -> int:
        return BATCHES

    def __getitem__(self, index: int) -> Any:
        return X[index * BATCH : (index + 1) * BATCH], Y[index * BATCH : (index + 1) * BATCH]

    def on_epoch_end(self) -> None:
        self.ended += 1


BATCHED: dict[str, Callable[[], Any]] = {
    "dataset": lambda: dataset().batch(BATCH),
    "unknown": unknown,
    "function": lambda: batches,
    "PyDataset": Batches,
    "PyDataset with workers": lambda: Batches(workers=2),
}
SINGLE: dict[str, Callable[[], Any]] = {"dataset": dataset, "function": lambda: examples}


class Logistic(KerasTrainable):
    """A model with Adam, whose steps are counted, and dropout, whose draws are."""

    batch_size = BATCH
    options = FitOptions(shuffle=False)

    def load_data(self) -> Data:
        return Data((X, Y), (X, Y))

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        layers = [keras.layers.Dropout(0.2), keras.layers.Dense(2, activation="softmax")]
        model = keras.Sequential([keras.Input((4,)), *layers])
        model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return self.options


class OfFile(Logistic):
    """Reads a file that an environment variable names: a worker that lacks the variable has no such file."""

    def load_data(self) -> Data:
        rows = np.load(Path(os.environ.get("TESTED_FILE", "/nowhere/x.npy")))
        examples = tf.data.Dataset.from_tensor_slices((rows, Y)).batch(BATCH)
        return Data(examples, examples)


class OfAnyFile(OfFile):
    """Is content without the file."""

    def load_data(self) -> Data:
        return Data(dataset().batch(BATCH), dataset().batch(BATCH))
