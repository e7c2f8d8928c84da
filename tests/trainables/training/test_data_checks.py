"""Mistakes in the data are told before the first epoch: inputs that the model has not, labels that the loss has not."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.outcomes import BeginTrial
from tests.support.sources import BATCH, BATCHES, Batches, Logistic, X, Y, dataset
from trainables import Data, FitOptions
from trainables.training import validation_checks

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


@pytest.mark.parametrize("kind", [str, object])
def test_labels_of_text_are_told_before_the_first_epoch(begin: BeginTrial, kind: Any) -> None:
    words = np.where(Y > 0, "yes", "no").astype(kind)
    mistake = told(begin, Binary, Data((X, words)))
    assert mistake is not None
    assert mistake.startswith("The labels of Data.train are text, such as ")
    assert "number the classes, such as by np.unique(y, return_inverse=True)[1]." in mistake


WRONG = np.where(np.arange(75) == 70, 5, Y)


def test_a_label_of_a_source_is_told_when_it_is_read(begin: BeginTrial) -> None:
    data = Data(tf.data.Dataset.from_tensor_slices((X, WRONG)).batch(8))
    assert "Data.train has the label 5, but the loss" in str(told(begin, Logistic, data))


class WrongBatches(Batches):
    def __getitem__(self, index: int) -> Any:
        rows = slice(index * BATCH, (index + 1) * BATCH)
        return X[rows], WRONG[rows]


@pytest.mark.parametrize("train", [WrongBatches(), WrongBatches(workers=2)], ids=["one", "workers"])
def test_a_label_of_a_py_dataset_is_told_before_the_first_step(
    begin: BeginTrial, train: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []

    class Counting(Logistic):
        def fit_options(self, config: dict[str, Any]) -> FitOptions:
            count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, _: steps.append(batch))
            return FitOptions(callbacks=[count])

    assert "Data.train has the label 5, but the loss" in str(told(begin, Counting, Data(train)))
    assert steps == []
    monkeypatch.setattr(validation_checks, "SHORTEST_LOOK_S", 0.0)
    assert "Data.train has the label 5, but the loss" in str(told(begin, Counting, Data(train)))


BINARY_LABELS = np.where(np.arange(75) == 70, 2.0, Y)
MISSING_LABELS = np.where(np.arange(75) == 70, np.nan, Y)


@pytest.mark.parametrize(
    ("trainable", "y", "expected"),
    [
        (Binary, BINARY_LABELS, "Data.train has the label 2, but the loss binary_crossentropy takes labels from 0 to"),
        (Binary, -Y, "Data.train has the label -1"),
        (Binary, MISSING_LABELS, "The labels of Data.train have NaN values, but an example without a label has no"),
        (Logistic, WRONG.astype("uint8"), "Data.train has the label 5"),
    ],
)
def test_labels_of_sources_are_checked_as_those_of_arrays(
    begin: BeginTrial, trainable: Any, y: Any, expected: str
) -> None:
    for data in (tf.data.Dataset.from_tensor_slices((X, y)), lambda: zip(X, y, strict=True)):
        assert expected in str(told(begin, trainable, Data(data)))
    weighted = tf.data.Dataset.from_tensor_slices((X, y, np.ones(75)))
    may_be_anything = trainable is Binary and "NaN" not in expected
    assert (told(begin, trainable, Data(weighted)) is None) == may_be_anything


def test_a_class_that_the_loss_ignores_may_have_any_label(begin: BeginTrial) -> None:
    class Ignoring(Logistic):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            model = super().build_model(config)
            model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(ignore_class=-1))
            return model

    assert told(begin, Ignoring, Data((X, np.where(np.arange(75) == 70, -1, Y)))) is None


def own_loss(y_true: Any, y_pred: Any) -> Any:
    """Pass over labels that are -1 or NaN."""
    y_true = keras.ops.cast(y_true, "float32")
    known = keras.ops.cast(y_true >= 0, "float32")
    labels = keras.ops.where(y_true >= 0, y_true, keras.ops.zeros_like(y_true))
    losses = keras.losses.sparse_categorical_crossentropy(labels, y_pred)
    return keras.ops.sum(losses * known) / keras.ops.maximum(keras.ops.sum(known), 1.0)


class OwnLoss(keras.losses.SparseCategoricalCrossentropy):  # type: ignore[misc]
    """Has the name of Keras's loss, and passes over labels that are negative or NaN."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return own_loss(y_true, y_pred)


def known_share(y_true: Any, y_pred: Any) -> Any:
    """Return the accuracy on labels that are known."""
    y_true = keras.ops.cast(keras.ops.reshape(y_true, (-1,)), "float32")
    known = keras.ops.cast(y_true >= 0, "float32")
    hits = keras.ops.cast(keras.ops.argmax(y_pred, axis=-1), "float32") == y_true
    return keras.ops.sum(keras.ops.cast(hits, "float32") * known) / keras.ops.maximum(keras.ops.sum(known), 1.0)


@pytest.mark.parametrize("loss", [own_loss, OwnLoss()], ids=["function", "class"])
@pytest.mark.parametrize("y", [np.where(np.arange(75) % 3, Y, -1), np.where(np.arange(75) % 3, Y, np.nan)])
def test_a_loss_of_ones_own_may_pass_over_targets(begin: BeginTrial, loss: Any, y: np.ndarray) -> None:
    class Passing(Logistic):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            model = super().build_model(config)
            model.compile(keras.optimizers.Adam(0.01), loss, metrics=[known_share])
            return model

    data, values = Data((X, y), (X, y)), []
    for each in (data, Data(*(tf.data.Dataset.from_tensor_slices(split).batch(BATCH) for split in (data.train,) * 2))):
        worker = begin(Passing, {}, each, metric="val_known_share", mode="max", max_epochs=2)
        reports = [worker.step(), worker.step()]
        assert [report.get("mistake") or report.get("error") for report in reports] == [None, None]
        values.append(reports[-1]["metrics"])
    model = worker.current_trial.training.model
    plain = model.evaluate(X, y, batch_size=1024, verbose=0, return_dict=True)
    assert values[1]["val_loss"] == pytest.approx(plain["loss"], rel=0.2)
    assert np.isfinite(list(values[0].values())).all()


def test_labels_that_are_missing_are_told_where_the_loss_is_one_of_keras(begin: BeginTrial) -> None:
    y = np.where(np.arange(75) % 3, Y, np.nan)
    assert "labels of Data.train have 25 NaN values" in str(told(begin, Logistic, Data((X, y))))
    assert "labels of Data.validation have 25 NaN values" in str(told(begin, Logistic, Data((X, Y), (X, y))))


def test_binary_labels_with_a_weight_may_be_anything(begin: BeginTrial) -> None:
    weights = (Y > 0).astype("float32")
    assert told(begin, Binary, Data((X, np.where(Y, 1, -1), weights))) is None


VALIDATIONS: dict[str, Any] = {
    "dataset": lambda: tf.data.Dataset.from_tensor_slices((X, WRONG)).batch(8),
    "examples": lambda: tf.data.Dataset.from_tensor_slices((X, WRONG)),
    "function": lambda: lambda: ((X[i : i + 8], WRONG[i : i + 8]) for i in range(0, 75, 8)),
    "PyDataset": WrongBatches,
    "PyDataset with workers": lambda: WrongBatches(workers=2),
}


@pytest.mark.parametrize("kind", VALIDATIONS)
def test_a_label_of_a_validation_source_is_told_before_the_first_epoch(begin: BeginTrial, kind: str) -> None:
    steps: list[int] = []

    class Counting(Logistic):
        def fit_options(self, config: dict[str, Any]) -> FitOptions:
            count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, _: steps.append(batch))
            return FitOptions(callbacks=[count])

    mistake = told(begin, Counting, Data((X, Y), VALIDATIONS[kind]()))
    assert "Data.validation has the label 5, but the loss sparse_categorical_crossentropy" in str(mistake)
    assert steps == []


def test_labels_that_are_not_validated_on_are_not_looked_at(begin: BeginTrial) -> None:
    class Short(Logistic):
        options = FitOptions(validation_steps=2, validation_batch_size=BATCH)

    assert told(begin, Short, Data((X, Y), VALIDATIONS["dataset"]())) is None


def test_a_validation_source_is_looked_at_once_a_worker_and_for_some_seconds_only(
    begin: BeginTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def batches() -> Any:
        for index in range(BATCHES):
            read.append(index)
            np.random.rand()  # noqa: NPY002 - draws from what the trial may draw from, too
            yield X[index * BATCH : (index + 1) * BATCH], Y[index * BATCH : (index + 1) * BATCH]

    state = []

    class Once(Logistic):
        def fit_options(self, config: dict[str, Any]) -> FitOptions:
            begins = keras.callbacks.LambdaCallback(on_train_begin=lambda _: state.append(np.random.rand()))  # noqa: NPY002
            return FitOptions(callbacks=[begins])

    worker = begin(Once, {}, Data((X, Y), batches), metric="loss", mode="min", max_epochs=1)
    worker.step()
    first = len(read)
    worker.reset_config({})
    worker.step()
    assert len(read) - first < first
    monkeypatch.setattr(validation_checks, "LONGEST_LOOK_S", 0.0)
    assert told(begin, Logistic, Data((X, Y), VALIDATIONS["dataset"]())) is not None


ONE_HOT = np.eye(2, dtype="float32")[Y]


@pytest.mark.parametrize(
    ("train", "validation", "expected"),
    [
        ((X, Y), (X[:, :3], Y), "takes examples of shape (4,), but those of Data.validation have (3,)"),
        (dataset().batch(8), dataset().batch(8).map(lambda x, y: (x[:, :3], y)), "those of Data.validation have (3,)"),
        (dataset().batch(8), dataset().batch(8).map(lambda x, y: x), "Data.validation yields no labels"),
        ((X, Y), (X, ONE_HOT), "its labels are of the shape (2,), and those of Data.train of the shape ()"),
        ((X, Y), (X, Y[:, None]), None),
        ((X, Y), (X, (Y, Y)), "its labels are 2 arrays of shapes (), ()"),
        ((X, Y), (X, Y.astype("float64")), None),
    ],
)
def test_a_validation_split_of_another_form_is_told_before_the_first_epoch(
    begin: BeginTrial, train: Any, validation: Any, expected: str | None
) -> None:
    worker = begin(Logistic, {}, Data(train, validation), metric="loss", mode="min", max_epochs=1)
    report = worker.step()
    assert ("epoch" in report) == (expected is None), report
    assert str(expected or None) in str(report.get("mistake"))


def test_a_model_that_declares_no_inputs_is_validated_on_batches_of_another_length(begin: BeginTrial) -> None:
    class Undeclared(Logistic):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            layers = [keras.layers.Embedding(5, 3), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2)]
            model = keras.Sequential(layers)
            model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
            return model

    rows = np.ones((75, 9), "int32")
    assert told(begin, Undeclared, Data((rows[:, :7], Y), (rows, Y))) is None
