"""Trainables and data that train in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from trainables import Data, FitOptions, KerasTrainable
from trainables.report import Report


def blobs(examples: int = 48, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points around one centre a class, hard enough to leave some accuracy to gain."""
    generator = np.random.default_rng(seed)
    y = (np.arange(examples) % classes).astype(np.int32)
    x = generator.normal(size=(examples, 4)) + y[:, None] * 0.7
    return x.astype(np.float32), y


def tiny_data(examples: int = 48) -> Data:
    return Data(train=blobs(examples), validation=blobs(24, seed=1))


class Tiny(KerasTrainable):
    """One dense layer; subclasses override what they are about.

    It runs eagerly, because tracing takes longer than all its epochs. A test that is about tracing compiles a model of
    its own.
    """

    batch_size = 16

    def load_data(self) -> Data:
        return tiny_data()

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        optimizer = keras.optimizers.SGD(config.get("learning_rate", 0.1))
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
        return model


class Scripted(Tiny):
    """Reports the validation scores of ``config["scores"]``, one an epoch."""

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=[Script(config["scores"]), *config.get("callbacks", ())])


class Script(keras.callbacks.Callback):
    def __init__(self, scores: Sequence[float], name: str = "score") -> None:
        super().__init__()
        self.scores = scores
        self.name = name

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs[self.name] = self.scores[epoch]


class Everything(Tiny):
    """All that makes continuing hard: callbacks with memory, dropout, batch normalisation, augmentation."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(8),
                keras.layers.BatchNormalization(),
                keras.layers.ReLU(),
                keras.layers.Dropout(0.3),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
        optimizer = keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.9)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        # With a min_delta this large every epoch but the first is a plateau, if its sign is right.
        return FitOptions(
            callbacks=[
                keras.callbacks.EarlyStopping(
                    "val_loss", patience=config["patience"], min_delta=0.5, restore_best_weights=True
                ),
                keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=2, min_delta=0.5),
            ],
            class_weight={0: 2.0, 2: 0.5},
            augment=jitter,
        )


def jitter(x: Any, y: Any, seed: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    return x + tf.random.stateless_normal(tf.shape(x), seed, stddev=0.1), y


class Swish(Tiny):
    """An activation with a gradient of its own: TensorFlow registers one at every tracing."""

    batch_size = 32  # one batch an epoch: a loop over several would take longer to trace

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(config.get("units", 64), "swish"), keras.layers.Dense(3, "softmax")]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    def load_data(self) -> Data:
        return Data(train=blobs(32))


def train(worker: KerasTrainable, epochs: int) -> list[Report]:
    """Train a worker's trial until it has ended, for so many epochs at most, and wait for its checkpoints.

    Returns:
        The report of every epoch.
    """
    results: list[Report] = []
    while len(results) < epochs and not (results and results[-1]["done"]):
        results.append(worker.step())
    worker.wait_until_saved()
    return results
