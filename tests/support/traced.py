"""A model whose traces are counted."""

from __future__ import annotations

from typing import Any

import keras
import pytest

from tests.support.tiny_trainables import Tiny, tiny_data
from trainables import FitOptions
from trainables.internals.global_state import forget_names, set_seed
from trainables.reuse.worker_cache import TrialModel
from trainables.training.model import create_variables


class Traced(Tiny):
    """A compiled model; one batch an epoch, and one batch a call, keep its traces short."""

    batch_size = 48

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(config.get("units", 3), activation=config.get("activation", "relu")),
                keras.layers.Dropout(config.get("dropout", 0.5)),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
        model.compile(self.optimizer(config), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def optimizer(self, config: dict[str, Any]) -> keras.optimizers.Optimizer:
        rate = config.get("rate", 0.1)
        kind = getattr(keras.optimizers, config.get("optimizer", "SGD"))
        return kind(rate, **config.get("options", {}))

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=config.get("callbacks", ()), steps_per_execution=1)


def without_reuse(trainable: type[Tiny]) -> type[Tiny]:
    """Return the same trainable with every trial's model traced anew."""
    return type(trainable.__name__, (trainable,), {"reuse_models": False})


def built_model(config: dict[str, Any], seed: int = 1) -> TrialModel:
    """Return a model of ``Traced`` as the first trial of a worker builds it."""
    forget_names()
    set_seed(seed)
    model = Traced.standalone().build_model(config)
    create_variables(model, tiny_data().train)
    return TrialModel(model, "")


class Traces:
    """How often Python runs Keras's steps: once a trace.

    Attributes:
        train: Traces of the training step.
        test: Traces of the validation step.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.train = self.test = 0
        train_step, test_step = keras.Model.train_step, keras.Model.test_step

        def counted_train(model: keras.Model, data: Any) -> Any:
            self.train += 1
            return train_step(model, data)

        def counted_test(model: keras.Model, data: Any) -> Any:
            self.test += 1
            return test_step(model, data)

        monkeypatch.setattr(keras.Model, "train_step", counted_train)
        monkeypatch.setattr(keras.Model, "test_step", counted_test)
