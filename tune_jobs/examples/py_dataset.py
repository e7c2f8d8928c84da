"""How strongly should a Python class augment its images?

The training data of a trial are a `keras.utils.PyDataset`: any code of yours can stand in its `__getitem__`. All
trials share the arrays that `load_data` returns. `prepare` puts the PyDataset over them: it moves scikit-learn's digits
at random, as far as the configuration says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np

from search_spaces import Choice, Float, Int, SearchSpace
from trainables import Data, KerasTrainable, split
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.schedulers import ASHA
from tune_jobs.searchers import HyperOpt

SPACE = SearchSpace(
    shift=Int(0, 2),
    noise=Float(0.0, 0.2),
    filters=Choice(8, 16, 32),
    learning_rate=Float(1e-3, 1e-2, log=True),
)


class Augmented(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """Batches of images, each moved at random, with noise; the same ones in each run.

    Args:
        x: Images, shape (images, height, width, 1).
        y: Labels, shape (images,).
        shift: The most pixels by which a batch is moved.
        noise: The standard deviation of the noise.
        batch_size: Images per batch.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, shift: int = 0, noise: float = 0.0, batch_size: int = 64) -> None:
        super().__init__()
        self.x, self.y, self.shift, self.noise, self.batch_size = x, y, shift, noise, batch_size
        self.epoch = 0

    def __len__(self) -> int:
        """Return the number of batches."""
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a batch."""
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        random = np.random.default_rng([self.epoch, index])
        down, right = random.integers(-self.shift, self.shift + 1, 2)
        moved = np.roll(self.x[rows], (int(down), int(right)), axis=(1, 2))
        return (moved + random.normal(0, self.noise, moved.shape)).astype(np.float32), self.y[rows]

    def on_epoch_end(self) -> None:
        """Let the next epoch draw other numbers."""
        self.epoch += 1


class PyDatasetDigits(KerasTrainable):
    """A small convolutional network on augmented digits."""

    def load_data(self) -> Data:
        """Return the images as arrays: 60 % to train on, and 20 % each to validate on and for the test set."""
        from sklearn.datasets import load_digits

        images, labels = load_digits(return_X_y=True)
        images = (images.reshape(-1, 8, 8, 1) / 16).astype(np.float32)
        rest, test = split(images, labels.astype(np.int32), 0.2)
        train, validation = split(*rest, 0.25)
        return Data(train, validation, test, class_names=tuple("0123456789"))

    def prepare(self, data: Data, config: dict[str, Any]) -> Data:
        """Return the data with the training images augmented as the configuration says."""
        x, y = data.train
        return replace(data, train=Augmented(x, y, config["shift"], config["noise"]))

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        """Return the network."""
        model = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Conv2D(config["filters"], 3, activation="relu"),
                keras.layers.Conv2D(config["filters"], 3, activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dense(10, "softmax"),
            ]
        )
        optimizer = keras.optimizers.Adam(config["learning_rate"])
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


EXPERIMENT = Experiment(
    trainable=PyDatasetDigits,
    space=SPACE,
    objective=Objective("val_accuracy", "max"),
    searcher=HyperOpt(),
    scheduler=ASHA(grace_period=1, reduction_factor=3),
    max_epochs=9,
    trials=12,
    seed=0,
)
