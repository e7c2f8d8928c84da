"""How long should an image classifier's base stay frozen?

IMAGES names a folder in which each folder is a class; without it, scikit-learn's digits are written as PNG files first.
A head is trained on a frozen base. If `fine_tune` is true, the base is trained too after `frozen_epochs`, at a rate of
its own: two parameters that exist only there. Here the base is small and has no weights of another task. For transfer
learning, return a network with weights from `base_network`, such as
`keras.applications.MobileNetV2(input_shape, include_top=False, pooling="avg")`.
"""

from __future__ import annotations

import os
from typing import Any

import keras

from search_spaces import Boolean, Choice, Float, Int, SearchSpace
from trainables import Data, FitOptions, KerasTrainable, TrainingView, image_folder
from trainables.examples import sample_files
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.schedulers import ASHA
from tune_jobs.searchers import HyperOpt

SPACE = SearchSpace(
    dense_units=Choice(32, 64, 128),
    dropout=Float(0.0, 0.5, step=0.1),
    head_rate=Float(1e-3, 1e-2, log=True),
    fine_tune=Boolean(),
    frozen_epochs=Int(1, 3).when(fine_tune=True),
    fine_tune_rate=Float(1e-4, 1e-2, log=True).when(fine_tune=True),
)


class ImageFolder(KerasTrainable):
    """A head on a base that is frozen, and then fine-tuned if the configuration says so."""

    batch_size = 64

    def load_data(self) -> Data:
        """Return the images of the folder: 60 % to train on, and 20 % each to validate on and for the test set."""
        folder = os.environ.get("IMAGES") or sample_files.images()
        return image_folder(folder, image_size=(32, 32), validation_split=0.2, test_split=0.2)

    def build_model(self, config: dict[str, Any], data: TrainingView) -> keras.Model:  # type: ignore[override]
        """Return the model with its base frozen; images are scaled, and changed at random, in the compiled step."""
        base = base_network(data.x_spec.shape)
        base.trainable = False
        inputs = keras.Input(data.x_spec.shape)
        x = keras.layers.Rescaling(1 / 255)(inputs)
        x = keras.layers.RandomTranslation(0.1, 0.1)(x)
        x = base(x)
        x = keras.layers.Dense(config["dense_units"], "relu")(x)
        x = keras.layers.Dropout(config["dropout"])(x)
        model = keras.Model(inputs, keras.layers.Dense(data.classes, "softmax")(x))
        compile_model(model, config["head_rate"])
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        """Return the callback that begins the fine-tuning, for configurations that have one."""
        if not config["fine_tune"]:
            return FitOptions()
        return FitOptions(callbacks=[FineTune(config["frozen_epochs"], config["fine_tune_rate"])])


class FineTune(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Lets the base train from an epoch on, at a rate of its own.

    Args:
        frozen_epochs: The number of epochs before that.
        rate: The learning rate from then on.
    """

    def __init__(self, frozen_epochs: int, rate: float) -> None:
        super().__init__()
        self.frozen_epochs = frozen_epochs
        self.rate = rate

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras gives it
        """Compile the model again when the epoch has come."""
        if epoch == self.frozen_epochs:
            for layer in self.model.layers:
                layer.trainable = True
            compile_model(self.model, self.rate)


def base_network(shape: tuple[int, ...]) -> keras.Model:
    """Return the network below the head: features of an image, shape (features,)."""
    layers = [keras.Input(shape)]
    for filters in (16, 32, 64):
        layers += [
            keras.layers.Conv2D(filters, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
        ]
    return keras.Sequential([*layers, keras.layers.Flatten()], name="base")


def compile_model(model: keras.Model, rate: float) -> None:
    """Compile a model, at first and for the fine-tuning."""
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])


EXPERIMENT = Experiment(
    trainable=ImageFolder,
    space=SPACE,
    objective=Objective("val_accuracy", "max"),
    searcher=HyperOpt(),
    scheduler=ASHA(grace_period=3, reduction_factor=3),
    max_epochs=9,
    trials=12,
    seed=0,
)
