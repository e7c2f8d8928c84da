"""Which metrics are the same whatever the validation batch is, and which are not: docs/trainables.md tells it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tests.support.kinds.data import numbers
from tests.support.kinds.data import split as split_of
from trainables import Data, FitOptions, KerasTrainable, TrialSettings

CLASSES = 3


def per_example(y: Any, prediction: Any) -> Any:
    return keras.ops.max(prediction, axis=-1)


def ratio_of_means(y: Any, prediction: Any) -> Any:
    """Return one number a batch: R2 as many write it, with the mean and the variance of the batch."""
    error = keras.ops.mean(keras.ops.square(y - prediction))
    return 1 - error / keras.ops.mean(keras.ops.square(y - keras.ops.mean(y, axis=0)))


def masked_error(y: Any, prediction: Any) -> Any:
    """Return one number a batch: the mean over what counts of it."""
    counts = keras.ops.cast(y > 0, prediction.dtype)
    return keras.ops.sum(keras.ops.abs(y - prediction) * counts) / keras.ops.maximum(keras.ops.sum(counts), 1.0)


@keras.saving.register_keras_serializable("validation_batches")
class SumsFirst(keras.metrics.Metric):  # type: ignore[misc]  # Keras has no types
    """The same ratio as a metric that keeps sums over batches."""

    def __init__(self, name: str = "sums_first", **options: Any) -> None:
        super().__init__(name=name, **options)
        self.error, self.count = (self.add_weight(name=each, initializer="zeros") for each in ("error", "count"))

    def update_state(self, y: Any, prediction: Any, sample_weight: Any = None) -> None:
        counts = keras.ops.cast(y > 0, self.dtype)
        self.error.assign_add(keras.ops.sum(keras.ops.abs(y - prediction) * counts))
        self.count.assign_add(keras.ops.sum(counts))

    def result(self) -> Any:
        return self.error / self.count


SAME = [
    "accuracy",
    "auc",
    "precision",
    "recall",
    "mae",
    "mse",
    "cosine_similarity",
    "top_k_categorical_accuracy",
    keras.metrics.F1Score(average="macro"),
    keras.metrics.R2Score(),
    keras.metrics.OneHotMeanIoU(CLASSES),
    per_example,
    SumsFirst(),
]
DIFFERENT = [ratio_of_means, masked_error, keras.metrics.PearsonCorrelation(axis=0)]
DIFFERENT_LOSSES = [
    keras.losses.MeanSquaredError(reduction="sum"),
    keras.losses.MeanSquaredError(reduction="mean_with_sample_weight"),
]


class Judged(KerasTrainable):
    batch_size = 30

    def load_data(self) -> Data:
        x, y = numbers(26, 0)
        split = (x, np.eye(CLASSES, dtype=np.float32)[y], np.linspace(0.1, 3, len(x), dtype=np.float32))
        return Data(train=split, validation=split)

    def build_model(self, config: dict[str, Any]) -> Any:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(CLASSES, "softmax")])
        model.compile("sgd", config["loss"], metrics=config["metrics"], run_eagerly=True)
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(validation_batch_size=config["batch"])


def measured(loss: Any, metrics: list[Any], batch: int, judged: type[Judged] = Judged) -> dict[str, float]:
    config = {"loss": loss, "metrics": metrics, "batch": batch}
    worker = judged.standalone(config, settings=TrialSettings("val_loss", "min"))
    report = worker.step()
    worker.cleanup()
    assert not report.get("traceback"), report["traceback"]
    return {name: value for name, value in report["metrics"].items() if name.startswith("val_")}


def fresh(metric: Any) -> Any:
    return type(metric).from_config(metric.get_config()) if isinstance(metric, keras.metrics.Metric) else metric


def test_sums_over_batches_and_numbers_of_each_example_are_the_same() -> None:
    small, whole = (
        measured("categorical_crossentropy", [fresh(metric) for metric in SAME], batch) for batch in (7, 1024)
    )
    assert len(whole) == len(SAME) + 1
    assert small == pytest.approx(whole, rel=1e-4)


@pytest.mark.parametrize("metric", DIFFERENT)
def test_what_returns_one_number_a_batch_depends_on_the_batch(metric: Any) -> None:
    name = metric.name if isinstance(metric, keras.metrics.Metric) else metric.__name__
    small, whole = (measured("mse", [fresh(metric)], batch)[f"val_{name}"] for batch in (7, 1024))
    assert small != pytest.approx(whole, rel=1e-3)


@pytest.mark.parametrize("loss", DIFFERENT_LOSSES)
def test_a_loss_that_divides_by_no_number_of_examples_depends_on_the_batch(loss: Any) -> None:
    small, whole = (measured(loss, [], batch)["val_loss"] for batch in (7, 1024))
    assert small != pytest.approx(whole, rel=1e-3)


class Masked(Judged):
    """Has gaps in its sequences, so that its loss counts some of the steps only."""

    def load_data(self) -> Data:
        return Data(train=split_of("labelled_steps", "train"), validation=split_of("labelled_steps", "train"))

    def build_model(self, config: dict[str, Any]) -> Any:
        embedding = keras.layers.Embedding(6, 3, mask_zero=True)
        model = keras.Sequential([keras.Input((4,)), embedding, keras.layers.Dense(CLASSES, "softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
        return model


def test_a_loss_of_masked_steps_depends_on_the_batch() -> None:
    small, whole = (measured("", [], batch, Masked)["val_loss"] for batch in (5, 1024))
    assert small != pytest.approx(whole, rel=1e-5)


class TwoOutputs(Judged):
    def load_data(self) -> Data:
        return Data(train=split_of("two_targets_list", "train"), validation=split_of("two_targets_list", "train"))

    def build_model(self, config: dict[str, Any]) -> Any:
        inputs = keras.Input((4,))
        kind, size = (
            keras.layers.Dense(CLASSES, "softmax", name="kind")(inputs),
            keras.layers.Dense(1, name="size")(inputs),
        )
        model = keras.Model(inputs, [kind, size])
        model.compile("sgd", ["sparse_categorical_crossentropy", "mse"])
        return model


def test_the_loss_of_one_output_of_several_depends_on_the_batch_and_their_sum_does_not() -> None:
    small, whole = (measured("", [], batch, TwoOutputs) for batch in (20, 1024))  # 21 examples: batches of 20 and 1
    assert small["val_loss"] == pytest.approx(whole["val_loss"], rel=1e-5)
    assert small["val_kind_loss"] != pytest.approx(whole["val_kind_loss"], rel=1e-3)
