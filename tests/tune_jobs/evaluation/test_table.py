"""The table: kinds of models on kinds of data, and everything that can be done with them, each beside plain Keras.

A cell works, or it is refused in words before anything is trained or written. docs/evaluation.md tells the outcome.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tune_jobs
from tests.support.kinds import CUSTOM_OBJECTS, KINDS
from tests.support.kinds import data as kinds_of_data
from tests.support.kinds.pairs import (
    EPOCHS,
    Trained,
    begin,
    cell,
    evaluate_plainly,
    fit_plainly,
    predict,
    settings_of,
    step,
    train_pair,
)
from trainables.data.nested import leaves
from tune_jobs.errors import RequestError
from tune_jobs.results.models import best_weights

# `make test` goes through these rows; the others, and all rows with compiled steps, through `make test-slow`.
QUICK_KINDS = (
    "sequential_without_input",
    "nested_inputs",
    "words",
    "lists_on_both_sides",
    "subclass_that_keras_describes_by_defaults",
    "weights_that_appear_in_a_step",
    "functions_as_loss_and_metric",
    "unfrozen_and_compiled_again",
)
PAIRS = [(model, data) for model, kind in KINDS.items() for data in kind.data]
QUICK = [(model, KINDS[model].data[0]) for model in QUICK_KINDS]
LONG = [pytest.mark.integration, pytest.mark.slow]
ROWS = [
    *(pytest.param((*pair, True), id="-".join(pair)) for pair in QUICK),
    *(pytest.param((*pair, True), id="-".join(pair), marks=LONG) for pair in PAIRS if pair not in QUICK),
    *(pytest.param((*pair, False), id=f"{'-'.join(pair)}-traced", marks=LONG) for pair in PAIRS),
]


@pytest.fixture(scope="module", params=ROWS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    model, data, run_eagerly = request.param
    return train_pair(tmp_path_factory.mktemp("pair"), cell(model, data, run_eagerly=run_eagerly))


def assert_close(actual: Any, expected: Any) -> None:
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        assert actual[name] == pytest.approx(value, rel=2e-4, abs=1e-5), name


def assert_equal(actual: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> None:
    assert len(actual) == len(expected)
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def assert_predicts_alike(model: Any, pair: Trained) -> None:
    for one, other in zip(pair.predictions(model), pair.predictions(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def read_file(path: Path, pair: Trained) -> Any:
    """Return the model of a file, as somebody reads it who has the objects that the kind of model needs."""
    if pair.kind.needs_names:
        return keras.models.load_model(path, custom_objects=CUSTOM_OBJECTS, safe_mode=False)
    return keras.models.load_model(path)


def test_it_trains_as_in_plain_keras(pair: Trained) -> None:
    assert_close(pair.reports[0]["metrics"], fit_plainly(pair.trainable))
    assert [report["epoch"] for report in pair.reports] == list(range(1, EPOCHS + 1))


def test_a_resumed_trial_is_what_it_would_have_been(pair: Trained, tmp_path: Path) -> None:
    shutil.copytree(pair.after_one_epoch, tmp_path / "trials")
    worker = begin(pair.trainable, settings_of(tmp_path / "trials"))
    reports = [step(worker) for _ in range(EPOCHS)]
    assert [report["metrics"] for report in reports] == [report["metrics"] for report in pair.reports]
    assert_equal(worker.current_trial.training.model.get_weights(), pair.weights[-1])
    worker.cleanup()


def test_it_is_evaluated_as_by_plain_keras(pair: Trained) -> None:
    (evaluation,) = tune_jobs.evaluate(pair.run, pair.experiment)
    assert_close(evaluation.scored.metrics, evaluate_plainly(pair.model, pair.test()))
    assert evaluation.scored.examples == kinds_of_data.EXAMPLES["test"]
    assert len(evaluation.scored.reports) == len(list(leaves(pair.test()[1])))


def test_the_exported_file_predicts_what_the_trained_model_does(pair: Trained, tmp_path: Path) -> None:
    if pair.kind.not_exported:
        with pytest.raises(RequestError, match=pair.kind.not_exported):
            tune_jobs.export(pair.run, pair.experiment, tmp_path / "best.keras")
        assert list(tmp_path.iterdir()) == []
        return
    exported = tune_jobs.export(pair.run, pair.experiment, tmp_path / "best.keras")
    assert_predicts_alike(read_file(tmp_path / "best.keras", pair), pair)
    assert any("A reader of the file needs" in note for note in exported.notes) == pair.kind.needs_names


def test_the_loaded_model_predicts_what_the_trained_one_does(pair: Trained) -> None:
    assert_predicts_alike(pair.run.load_best_model(pair.trainable), pair)
    if pair.kind.needs_trainable:
        with pytest.raises(RequestError, match=r"call load_best_model\(trainable="):
            pair.run.load_best_model()
    else:
        assert_predicts_alike(pair.run.load_best_model(), pair)


def test_it_is_refitted_on_all_that_the_search_has_seen(pair: Trained, tmp_path: Path) -> None:
    epochs: list[Any] = []
    if pair.kind.not_exported:
        with pytest.raises(RequestError, match=pair.kind.not_exported):
            tune_jobs.refit(
                pair.run, pair.experiment, tmp_path / "a.keras", on_epoch=lambda *epoch: epochs.append(epoch)
            )
        assert epochs == []
        return
    refitted = tune_jobs.refit(pair.run, pair.experiment, tmp_path / "a.keras")
    assert refitted.examples == kinds_of_data.EXAMPLES["train"] + kinds_of_data.EXAMPLES["validation"]
    read = read_file(tmp_path / "a.keras", pair)
    model = pair.build()
    predict(model, pair.test()[0])
    if len(model.get_weights()) == len(read.get_weights()):  # else some of them come with a step
        model.set_weights(read.get_weights())
        assert refitted.scored is not None
        assert_close(refitted.scored.metrics, evaluate_plainly(model, pair.test()))


def test_an_augmentation_that_changes_nothing_changes_nothing(pair: Trained) -> None:
    seeds: list[Any] = []

    def augment(x: Any, y: Any, seed: Any) -> tuple[Any, Any]:
        seeds.append(seed)
        return keras.tree.map_structure(keras.ops.copy, x) if seeds[1:] else x, y

    worker = begin(pair.with_options(augment=augment))
    assert_close(step(worker)["metrics"], pair.reports[0]["metrics"])
    assert seeds
    worker.cleanup()


def test_weights_of_examples_count_as_in_plain_keras(pair: Trained) -> None:
    weights = np.linspace(0.5, 2, kinds_of_data.EXAMPLES["train"])
    worker = begin(pair.with_options(sample_weight=weights))
    if pair.trainable.data_kind == "labelled_steps":  # Keras multiplies losses of steps by weights of examples
        assert "Incompatible shapes" in str(worker.step()["error"])
        with pytest.raises(tf.errors.InvalidArgumentError, match="Incompatible shapes"):
            fit_plainly(pair.trainable, weights=weights)
    else:
        assert_close(step(worker)["metrics"], fit_plainly(pair.trainable, weights=weights))
    worker.cleanup()


def test_weights_of_classes_count_as_in_plain_keras_or_are_refused(pair: Trained) -> None:
    by_class = {0: 1.0, 1: 3.0, 2: 0.5}
    worker = begin(pair.with_options(class_weight=by_class))
    labels, *others = leaves(kinds_of_data.data(pair.trainable.data_kind).train[1])
    if pair.trainable.data_kind == "one_hot":
        labels = labels.argmax(axis=1)
    if others or labels.ndim > 1 or labels.dtype.kind == "f":
        assert "FitOptions.class_weight is given, but" in str(worker.step()["mistake"])
    else:
        weights = np.array([by_class[int(label)] for label in labels])
        assert_close(step(worker)["metrics"], fit_plainly(pair.trainable, weights=weights))
    worker.cleanup()


def test_a_fraction_trains_as_plain_keras_does_on_that_part(pair: Trained) -> None:
    part = kinds_of_data.data(pair.trainable.data_kind).part(0.5)
    assert part.examples["train"] in (10, 11)
    worker = begin(pair.trainable, part=part)
    assert_close(step(worker)["metrics"], fit_plainly(pair.trainable, part))
    worker.cleanup()


def test_the_first_of_several_executions_is_the_trial_and_the_best_one_is_kept(pair: Trained, tmp_path: Path) -> None:
    worker = begin(pair.trainable, settings_of(tmp_path / "trials", executions=2))
    report = step(worker)
    worker.wait_until_saved()
    models = [training.model for training in worker.current_trial.training.trainings]
    assert_equal(models[0].get_weights(), pair.weights[0])
    values = [training.last.metrics["val_loss"] for training in worker.current_trial.training.trainings]
    assert report["metrics"]["val_loss"] == pytest.approx(np.mean(values))
    loaded = pair.build()
    best_weights(tmp_path, 0).load_into(loaded, "the model")
    best = models[int(np.argmin(values))]
    for one, other in zip(pair.predictions(loaded), pair.predictions(best), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    worker.cleanup()
