"""The experiment of the runs in this folder. It stays as it is: runs of every older format were made with it."""

import keras
import numpy as np

from search_spaces import Float, Int, SearchSpace
from trainables import Data, KerasTrainable
from tune_jobs import Experiment, Objective


class Line(KerasTrainable):
    """A small network on points of a plane, of one class on each side of a line."""

    batch_size = 16

    def load_data(self):
        """Return three small splits."""
        x = np.random.default_rng(0).normal(size=(96, 2)).astype("float32")
        y = (x[:, 0] > x[:, 1]).astype("int32")
        return Data((x[:48], y[:48]), (x[48:72], y[48:72]), (x[72:], y[72:]))

    def build_model(self, config):
        """Return a dense network."""
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(config["units"]), keras.layers.Dense(2)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(config["rate"]), loss, metrics=["accuracy"])
        return model


EXPERIMENT = Experiment(
    Line,
    SearchSpace(units=Int(2, 4), rate=Float(0.001, 0.1, log=True)),
    Objective("val_accuracy", "max"),
    trials=3,
    max_epochs=3,
)
