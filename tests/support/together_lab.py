"""A small experiment on JAX: trials with equal models, with other ones, and such as end early or raise."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from search_spaces import Choice, SearchSpace
from trainables import Data, FitOptions, KerasTrainable
from tune_jobs import Experiment, Grid, NoScheduler, Objective

EPOCH_S = float(os.environ.get("TOGETHER_LAB_EPOCH_S", "0"))
PROCESSES = os.environ.get("TOGETHER_LAB_PROCESSES")


class Blobs(KerasTrainable):
    """A network of one hidden layer."""

    batch_size = 32

    def load_data(self) -> Data:
        generator = np.random.default_rng(0)
        y = generator.integers(0, 3, 160).astype("int32")
        x = (generator.normal(size=(160, 8)) + 0.6 * y[:, None]).astype("float32")
        return Data(train=(x[:120], y[:120]), validation=(x[120:], y[120:]))

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        units = 12 if config["kind"] == "wider" else 8
        layers = [keras.layers.Dense(units, activation="relu"), keras.layers.Dropout(0.2)]
        model = keras.Sequential([keras.Input((8,)), *layers, keras.layers.Dense(3, activation="softmax")])
        optimizer = keras.optimizers.Adam(config["learning_rate"])
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=[Behaves(config["kind"])])


class Behaves(keras.callbacks.Callback):
    """Makes an epoch last, tells its process, and ends the trial or raises in its second epoch."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if PROCESSES:
            Path(PROCESSES, str(os.getpid())).touch()
        time.sleep(EPOCH_S)
        if epoch == 1 and self.kind == "raises":
            raise RuntimeError("no more of this")
        self.model.stop_training = epoch == 1 and self.kind == "ends"


EXPERIMENT = Experiment(
    trainable=Blobs,
    space=SearchSpace(kind=Choice("lasts", "ends", "raises", "wider"), learning_rate=Choice(0.003, 0.01, 0.03)),
    objective=Objective("val_loss", "min"),
    searcher=Grid(),
    scheduler=NoScheduler(),
    max_epochs=5,
    checkpoint_every_s=0.001,
    same_failures=100,
    keep="all",
    seed=3,
)
