"""The contract tests that ``test_backends`` runs in a process of each backend. This file is not collected by itself."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import numpy as np

from trainables import Data, FitOptions, KerasTrainable
from trainables.testing import TrainableContract

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.01),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "averaged": lambda: keras.optimizers.Adam(0.01, use_ema=True),
    "accumulated": lambda: keras.optimizers.SGD(0.05, gradient_accumulation_steps=3),
    "schedule": lambda: keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 60)),
}
CALLBACKS = {
    "none": list,
    "stopping": lambda: [keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)],
    "plateau": lambda: [keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=1.0)],
}


class Blobs(KerasTrainable):
    """A small network with what draws in each step: a Dropout without a seed, and noise."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        """Return the compiled model."""
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.GaussianNoise(0.1),
                keras.layers.Dense(8, activation="relu"),
                keras.layers.BatchNormalization(),
                keras.layers.Dropout(0.4),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
        model.compile(OPTIMIZERS[config["optimizer"]](), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        """Return the callbacks of a configuration."""
        return FitOptions(callbacks=CALLBACKS[config["callbacks"]]())


def blobs() -> Data:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 3, 96)
    x = (generator.normal(size=(96, 4)) + y[:, None]).astype("float32")
    return Data(train=(x[:64], y[:64]), validation=(x[64:], y[64:]))


class TestOptimizers(TrainableContract):
    trainable = Blobs
    config: ClassVar = {"optimizer": "adam", "callbacks": "none"}
    configs: ClassVar = [{"optimizer": name, "callbacks": "none"} for name in OPTIMIZERS if name != "adam"]
    data = blobs()


class TestCallbacks(TrainableContract):
    trainable = Blobs
    config: ClassVar = {"optimizer": "adam", "callbacks": "stopping"}
    configs: ClassVar = [{"optimizer": "sgd", "callbacks": "plateau"}]
    data = blobs()


class TestDropout(TrainableContract):
    """The small part that `make test` runs."""

    trainable = Blobs
    config: ClassVar = {"optimizer": "adam", "callbacks": "none"}
    data = blobs()
