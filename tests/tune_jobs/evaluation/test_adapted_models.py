"""The best model of a run whose layers were adapted: loaded, evaluated, exported and refitted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tune_jobs
from tests.support.adapted_layers import ADAPTED
from tests.support.trained_runs import experiment_of, trained_run
from trainables import Data, KerasTrainable, TrainingView
from tune_jobs.results.run import Run

COLOURS = np.array(["red", "green", "blue", "two\nlines", "grün", "unknown to the others"])


def table(examples: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 3, examples).astype(np.int32)
    colour = COLOURS[(y + generator.integers(0, 2, examples)) % 5]
    return {"colour": colour[:, None], "size": (generator.normal(size=(examples, 1)) * 100 + 50 * y[:, None])}, y


class Table(KerasTrainable):
    """A column of words and a column of numbers, of another scale than the weights are."""

    batch_size = 16

    def load_data(self) -> Data:
        return Data(table(48, 0), table(24, 1), table(30, 2))

    def build_model(self, config: dict[str, Any], data: TrainingView) -> Any:  # type: ignore[override]
        x, _ = data.train
        lookup = data.adapt(keras.layers.StringLookup(output_mode="one_hot"), x["colour"])
        scale = keras.layers.Normalization()
        scale.adapt(x["size"])
        colour, size = keras.Input((1,), dtype="string", name="colour"), keras.Input((1,), name="size")
        features = keras.layers.Concatenate()([lookup(colour), scale(size)])
        model = keras.Model({"colour": colour, "size": size}, keras.layers.Dense(3, "softmax")(features))
        optimizer = keras.optimizers.SGD(config["rate"])
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
        return model


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained_run(tmp_path_factory.mktemp("runs"), trainable=Table)


def predicted(model: Any) -> Any:
    import tensorflow as tf

    x, _ = table(30, 2)
    return np.asarray(model({"colour": tf.constant(x["colour"]), "size": tf.constant(x["size"])}))


def test_the_best_model_predicts_what_the_run_reported(run: Run, tmp_path: Path) -> None:
    _, y = table(30, 2)
    (evaluation,) = tune_jobs.evaluate(run, experiment_of(Table))
    expected = predicted(run.load_best_model(Table))
    assert evaluation.scored.metrics["accuracy"] == pytest.approx(np.mean(expected.argmax(axis=1) == y))
    np.testing.assert_array_equal(predicted(run.load_best_model()), expected)
    tune_jobs.export(run, experiment_of(Table), tmp_path / "best.keras")
    np.testing.assert_array_equal(predicted(keras.models.load_model(tmp_path / "best.keras")), expected)


def test_a_refitted_model_in_a_file_predicts_what_its_scores_say(run: Run, tmp_path: Path) -> None:
    _, y = table(30, 2)
    refitted = tune_jobs.refit(run, experiment_of(Table), tmp_path / "refitted.keras")
    model = keras.models.load_model(tmp_path / "refitted.keras")
    assert refitted.scored is not None
    assert refitted.scored.metrics["accuracy"] == pytest.approx(np.mean(predicted(model).argmax(axis=1) == y))


QUICK = (
    "Normalization",
    "Discretization",
    "StringLookup(tf_idf)",
    "IntegerLookup",
    "TextVectorization",
    "StringLookup(no OOV)",
)
LONG = [pytest.mark.integration, pytest.mark.slow]


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else LONG) for name in ADAPTED])
def test_every_adapted_layer_predicts_the_same_from_a_checkpoint_a_file_and_a_refit(name: str, tmp_path: Path) -> None:
    make, inputs = ADAPTED[name]
    x = np.repeat(inputs, 2, axis=0)
    y = (np.arange(len(x)) % 3).astype(np.int32)

    class Adapted(KerasTrainable):
        batch_size = 16

        def load_data(self) -> Data:
            return Data((x[:40], y[:40]), (x[40:52], y[40:52]), (x[52:], y[52:]))

        def build_model(self, config: dict[str, Any], data: TrainingView) -> Any:  # type: ignore[override]
            layer = data.adapt(make())
            words = keras.Input(x.shape[1:], dtype=data.x_spec.dtype)
            features = keras.layers.Flatten()(keras.ops.cast(layer(words), "float32"))
            scaled = keras.layers.Rescaling(0.01)(features)  # far from probabilities of 0, which Keras cuts off
            model = keras.Model(words, keras.layers.Dense(3, "softmax")(scaled))
            optimizer = keras.optimizers.SGD(config["rate"] / 100)
            model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
            return model

    import tensorflow as tf

    run = trained_run(tmp_path, trainable=Adapted)
    tests, labels = tf.constant(x[52:]), y[52:]
    (evaluation,) = tune_jobs.evaluate(run, experiment_of(Adapted), force=True)
    tune_jobs.export(run, experiment_of(Adapted), tmp_path / "best.keras", force=True)
    refitted = tune_jobs.refit(run, experiment_of(Adapted), tmp_path / "refitted.keras", force=True)
    assert refitted.scored is not None
    best = keras.models.load_model(tmp_path / "best.keras")
    for model, scored in (
        (run.load_best_model(Adapted), evaluation.scored),
        (run.load_best_model(), evaluation.scored),
        (best, evaluation.scored),
        (keras.models.load_model(tmp_path / "refitted.keras"), refitted.scored),
    ):
        predicted = np.asarray(model(tests))
        loss = np.mean(keras.losses.sparse_categorical_crossentropy(labels, predicted))
        assert scored.metrics["loss"] == pytest.approx(float(loss), rel=1e-5)
        assert scored.metrics["accuracy"] == pytest.approx(np.mean(predicted.argmax(axis=1) == labels))
