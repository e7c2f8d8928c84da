"""Words in the data reach a StringLookup, with and without an Input; a model of Keras 2 is told as one."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from tests.support.outcomes import BeginTrial
from tests.support.tiny_trainables import Tiny
from trainables import Data

CITIES = np.where(np.arange(48) % 2 == 0, "Oslo", "Lima")


class Words(Tiny):
    def load_data(self) -> Data:
        frame = pd.DataFrame({"city": CITIES, "age": np.arange(48, dtype=np.float32)})
        y = (CITIES == "Oslo").astype(np.int32)
        return Data((frame[:32], y[:32]), (frame[32:], y[32:]))

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        lookup = keras.layers.StringLookup(vocabulary=["Oslo", "Lima"], output_mode="one_hot")
        city, age = keras.Input((1,), name="city", dtype="string"), keras.Input((1,), name="age")
        joined = keras.layers.Concatenate()([lookup(city), age])
        model = keras.Model({"city": city, "age": age}, keras.layers.Dense(1, "sigmoid")(joined))
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
        return model


class WithoutInput(Words):
    def load_data(self) -> Data:
        y = (CITIES == "Oslo").astype(np.int32)
        return Data((CITIES.reshape(-1, 1), y), (CITIES.reshape(-1, 1).astype(object), y))

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        lookup = keras.layers.StringLookup(vocabulary=["Oslo", "Lima"], output_mode="one_hot")
        model = keras.Sequential([lookup, keras.layers.Dense(1, "sigmoid")])
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
        return model


@pytest.mark.parametrize("trainable", [Words, WithoutInput])
def test_words_train(begin: BeginTrial, trainable: type[Tiny]) -> None:
    report = begin(trainable, data=trainable.standalone().load_data(), metric="val_accuracy").step()
    assert (report["error"], report["mistake"]) == (None, None)
    assert report["epoch"] == 1


def test_a_model_of_keras_2_is_told_as_one(begin: BeginTrial) -> None:
    of_keras_2 = type("Sequential", (), {"__module__": "tf_keras.src.engine.sequential"})

    class Old(Tiny):
        def build_model(self, config: dict[str, Any]) -> Any:
            return of_keras_2()

    mistake = begin(Old).step()["mistake"]
    assert "Old.build_model returned a model of tf_keras (Keras 2), but must return one of Keras 3" in mistake
    assert "TF_USE_LEGACY_KERAS" in mistake
