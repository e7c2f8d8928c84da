"""A recurrent layer that keeps its state takes batches of one size: they are validated and evaluated in such."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest

from tests.support.tiny_trainables import Tiny, blobs
from trainables import Data, InvalidTrainable, TrialSettings
from trainables.random_streams import trial_seed
from trainables.training.training import Training
from tune_jobs.errors import RequestError
from tune_jobs.evaluation.scoring import score

DATA = Data(train=blobs(48), validation=blobs(24, seed=1), test=blobs(16, seed=2))


class Stateful(Tiny):
    batch_size = 8

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        keras.utils.set_random_seed(1)
        inputs = keras.Input(batch_shape=(8, 4))
        hidden = keras.layers.SimpleRNN(3, stateful=True)(keras.layers.Reshape((4, 1))(inputs))
        model = keras.Model(inputs, keras.layers.Dense(3, "softmax")(hidden))
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
        return model


def begin(data: Data = DATA, kind: type[Tiny] = Stateful) -> Training:
    return Training(kind.standalone(), {}, data, TrialSettings("val_loss", "min", max_epochs=2))


def test_it_trains_and_is_validated_as_in_plain_keras() -> None:
    training, plain = begin(), Stateful().build_model({})
    x, y = DATA.train
    for epoch in range(2):
        metrics = training.run_epoch().metrics
        order = np.random.default_rng([trial_seed(0, 0), epoch]).permutation(len(x))
        history = plain.fit(
            x[order],
            y[order],
            batch_size=8,
            shuffle=False,
            verbose=0,
            validation_data=DATA.validation,
            validation_batch_size=8,
        ).history
        assert metrics["val_loss"] == pytest.approx(history["val_loss"][0], rel=1e-5)
    assert score(training.model, DATA, 1024).examples == 16


def test_what_does_not_fit_is_told_at_once() -> None:
    class Sixteen(Stateful):
        batch_size = 16

    data = Data(train=blobs(50), validation=blobs(20, seed=1))
    with pytest.raises(InvalidTrainable) as raised:
        begin(data, Sixteen)
    text = str(raised.value)
    assert "takes batches of exactly 8 examples, but the batch_size is 16: set batch_size = 8 in the trainable." in text
    assert "Data.train has 50 examples" in text
    assert "leave 2 of them out" in text
    assert "Data.validation has 20 examples" in text
    with pytest.raises(RequestError, match=r"Data\.test has 15 examples"):
        score(begin().model, dataclasses.replace(DATA, test=tuple(part[:15] for part in blobs(16))), 1024)


def test_other_models_take_batches_of_any_size() -> None:
    class Dense(Tiny):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            model = keras.Sequential([keras.Input(batch_shape=(8, 4)), keras.layers.Dense(3, "softmax")])
            model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
            return model

    assert np.isfinite(begin(Data(train=blobs(50), validation=blobs(20)), Dense).run_epoch().metrics["val_loss"])
