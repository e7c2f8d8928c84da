"""Mistakes in the data are told before the first epoch: inputs that the model has not, labels that the loss has not."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.outcomes import BeginTrial
from tests.support.sources import Logistic, X, Y
from trainables import Data

TWO = {"a": X[:, :1], "b": X[:, 1:2]}


class TwoInputs(Logistic):
    def build_model(self, config: dict[str, Any]) -> keras.Model:
        a, b = keras.Input((1,), name="a"), keras.Input((1,), name="b")
        model = keras.Model([a, b], keras.layers.Dense(2)(keras.layers.concatenate([a, b])))
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model


class Binary(Logistic):
    loss: Any = "binary_crossentropy"

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
        model.compile("sgd", self.loss)
        return model


def told(begin: BeginTrial, trainable: Any, data: Data) -> str | None:
    report = begin(trainable, {}, data, metric="loss", mode="min").step()
    assert ("epoch" in report) == (report.get("mistake") is None)
    return report.get("mistake")


@pytest.mark.parametrize(
    ("trainable", "x", "expected"),
    [
        (Logistic, X[:, :3], "takes examples of shape (4,), but those of Data.train have (3,)"),
        (Logistic, X.reshape(-1, 2, 2), "takes examples of shape (4,), but those of Data.train have (2, 2)"),
        (Logistic, (X, X), "The model has 1 input, but x of Data.train has 2 inputs"),
        (TwoInputs, X, "The model has 2 inputs, but x of Data.train has 1 input"),
        (
            TwoInputs,
            {"a": TWO["a"], "c": TWO["b"]},
            "inputs a, b, but Data.train has a, c: b is missing",
        ),
        (TwoInputs, {**TWO, "c": X}, None),
        (TwoInputs, (X[:, 0], X[:, 1]), None),
    ],
)
def test_inputs_that_a_model_has_not_are_told(begin: BeginTrial, trainable: Any, x: Any, expected: str | None) -> None:
    mistake = told(begin, trainable, Data((x, Y)))
    assert expected in str(mistake) if expected else mistake is None


@pytest.mark.parametrize(
    ("trainable", "y", "expected"),
    [
        (
            Logistic,
            Y + 1,
            "Data.train has the label 2, but the loss sparse_categorical_crossentropy takes",
        ),
        (Logistic, -Y, "Data.train has the label -1"),
        (Binary, Y + 1, "binary_crossentropy takes labels from 0 to 1: encode the two classes as 0 and 1"),
        (Binary, Y * 0.5, None),
    ],
)
def test_labels_outside_of_the_classes_are_told(
    begin: BeginTrial, trainable: Any, y: Any, expected: str | None
) -> None:
    mistake = told(begin, trainable, Data((X, y)))
    assert expected in str(mistake) if expected else mistake is None


def test_a_label_of_a_source_is_told_when_it_is_read(begin: BeginTrial) -> None:
    y = np.where(np.arange(75) == 70, 5, Y)
    data = Data(tf.data.Dataset.from_tensor_slices((X, y)).batch(8))
    assert "The data has the label 5, but the loss" in str(told(begin, Logistic, data))


def test_a_class_that_the_loss_ignores_may_have_any_label(begin: BeginTrial) -> None:
    class Ignoring(Logistic):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            model = super().build_model(config)
            model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(ignore_class=-1))
            return model

    assert told(begin, Ignoring, Data((X, np.where(np.arange(75) == 70, -1, Y)))) is None
