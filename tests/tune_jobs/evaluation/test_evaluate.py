"""Evaluating, exporting and refitting runs that were really trained, in this process."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tune_jobs
from tests.support.trained_runs import NAMES, Blobs, Untested, blobs, experiment_of, trained_run
from trainables import Data, FitOptions
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.evaluation.joining import joined
from tune_jobs.evaluation.model_file import write_model
from tune_jobs.evaluation.refit import adapted
from tune_jobs.results.run import Run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained_run(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run(trained: Run, tmp_path: Path) -> Run:
    shutil.copytree(trained.folder, tmp_path / "first")
    return Run(tmp_path / "first")


def best_model(run: Run) -> Any:
    return run.load_best_model(Blobs)


def test_the_best_trial_is_evaluated_and_the_leaderboard_shows_it(run: Run) -> None:
    (evaluation,) = tune_jobs.evaluate(run.folder, experiment_of())
    x, y = blobs(30, 2)
    predicted = best_model(run).predict(x, verbose=0).argmax(axis=1)
    (report,) = evaluation.scored.reports.values()
    assert report.class_names == NAMES
    np.testing.assert_array_equal(report.confusion.diagonal(), np.bincount(y[predicted == y], minlength=3))
    board = run.leaderboard().set_index("trial")
    accuracy = float(np.mean(predicted == y))
    assert board.loc[run.best_trial, "test_accuracy"] == pytest.approx(accuracy)
    assert board["test_loss"].notna().sum() == 1
    content = json.loads(evaluation.path.read_text())
    assert content["reports"]["output_0"]["accuracy"] == pytest.approx(accuracy)
    assert run.leaderboard_and_notes()[1] == []


def test_several_trials_by_the_trainable_alone(run: Run) -> None:
    first, second = tune_jobs.evaluate(run, Blobs, top=5)
    assert (first.ranked.rank, second.ranked.rank) == (1, 2)
    assert run.leaderboard()["test_accuracy"].notna().all()
    (named,) = tune_jobs.evaluate(run, Blobs, trial=second.ranked.trial.trial)
    assert named.scored.metrics == second.scored.metrics


def test_what_cannot_be_evaluated(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(run.folder / "trials" / "0001")
    with pytest.raises(RequestError, match=r"no weights .any more. of trial 1. Trials with weights: 0."):
        tune_jobs.evaluate(run, Blobs, top=2)
    with pytest.raises(RequestError, match=r"no trial 9. It has: 0, 1."):
        tune_jobs.evaluate(run, Blobs, trial=9)
    with pytest.raises(RequestError, match="The code has changed"):
        tune_jobs.evaluate(run, Untested)
    with pytest.raises(RequestError, match=r"Untested.load_data returned no test set"):
        tune_jobs.evaluate(run, Untested, force=True)
    monkeypatch.setattr(Blobs, "build_model", lambda self, config: compiled(keras.layers.Dense(5)))
    with pytest.raises(RequestError, match=r"do not fit the model that Blobs.build_model makes now"):
        tune_jobs.evaluate(run, Blobs)
    assert not (run.folder / "evaluations").exists()


class Weighted(Blobs):
    def load_data(self) -> Data:
        weights = np.arange(30, dtype=np.float32)
        return Data(blobs(48, 0), blobs(24, 1), (*blobs(30, 2), weights))


def test_sample_weights_count_in_the_loss(run: Run) -> None:
    (evaluation,) = tune_jobs.evaluate(run, Weighted, force=True)
    x, y = blobs(30, 2)
    losses = -np.log(best_model(run).predict(x, verbose=0)[np.arange(30), y])
    # As Keras does: the mean of the weighted losses, not the weighted mean.
    assert evaluation.scored.metrics["loss"] == pytest.approx(float(np.mean(losses * np.arange(30))), rel=1e-4)
    assert evaluation.scored.is_weighted


def test_the_exported_model_predicts_what_the_best_one_does(run: Run, tmp_path: Path) -> None:
    exported = tune_jobs.export(run, Blobs, tmp_path / "best.keras")
    loaded = keras.models.load_model(tmp_path / "best.keras")
    x, _ = blobs(30, 2)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), best_model(run).predict(x, verbose=0))
    assert loaded.compiled
    assert loaded.loss == "sparse_categorical_crossentropy"
    assert exported.notes == ()


@pytest.mark.parametrize("file", ["best.h5", "missing/best.keras", "."])
def test_files_that_no_model_is_written_into(run: Run, tmp_path: Path, file: str) -> None:
    for command in (tune_jobs.export, tune_jobs.refit):
        with pytest.raises(RequestError):
            command(run, Blobs, tmp_path / file)


def compiled(*layers: Any, loss: Any = "mse") -> Any:
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile("sgd", loss)
    return model


@keras.saving.register_keras_serializable("tests")
class Doubled(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return x * 2


class Undescribed(keras.layers.Layer):
    def __init__(self, factor: Any) -> None:
        super().__init__()
        self.factor = factor

    def call(self, x: Any) -> Any:
        return x * self.factor

    def get_config(self) -> None:
        raise NotImplementedError("nobody wrote it")


def own_loss(y: Any, prediction: Any) -> Any:
    return keras.ops.mean(prediction - y)


def test_who_reads_a_model_with_a_layer_of_its_own_is_told_its_name(tmp_path: Path) -> None:
    (note,) = write_model(compiled(Doubled()), tmp_path / "own.keras")
    assert "needs tests>Doubled:" in note
    assert keras.models.load_model(tmp_path / "own.keras").predict(np.ones((1, 4)), verbose=0)[0, 0] == 2
    (note,) = write_model(compiled(keras.layers.Lambda(lambda x: x + 1)), tmp_path / "own.keras")
    assert "safe_mode=False" in note


def test_a_model_with_a_loss_of_its_own_is_written_without_it(tmp_path: Path) -> None:
    model = compiled(keras.layers.Dense(2), loss=own_loss)
    (note,) = write_model(model, tmp_path / "own.keras")
    assert "not compiled, because plain Keras has no own_loss" in note
    assert not keras.models.load_model(tmp_path / "own.keras").compiled
    assert model.compiled


def test_a_model_that_keras_cannot_describe_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="Keras cannot describe the model"):
        write_model(compiled(Undescribed(2)), tmp_path / "own.keras")
    assert list(tmp_path.iterdir()) == []


def test_refitting_uses_all_that_the_search_has_seen_and_repeats_itself(run: Run, tmp_path: Path) -> None:
    epochs = []
    first = tune_jobs.refit(
        run, Blobs, tmp_path / "a.keras", on_epoch=lambda epoch, of: epochs.append((epoch.number, of))
    )
    best = first.ranked.best.epoch
    assert epochs == [(epoch, best) for epoch in range(1, best + 1)]
    assert (first.epochs, first.examples, first.left_out) == (best, 72, ("EarlyStopping",))
    assert first.scored.examples == 30
    second = tune_jobs.refit(run, Blobs, tmp_path / "b.keras")
    other = tune_jobs.refit(run, Blobs, tmp_path / "c.keras", seed=5)
    assert first.scored.metrics == second.scored.metrics != other.scored.metrics
    x, _ = blobs(30, 2)
    a, b, c = (keras.models.load_model(tmp_path / f"{name}.keras").predict(x, verbose=0) for name in "abc")
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)
    assert not (run.folder / "evaluations").exists()


def test_a_refit_without_a_test_set_or_that_fails(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tune_jobs.refit(run, Untested, tmp_path / "a.keras", force=True).scored is None

    def unfit(self: Blobs, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs["val_loss"])])

    monkeypatch.setattr(Blobs, "fit_options", unfit)
    with pytest.raises(RunFailed, match="failed: KeyError: 'val_loss'"):
        tune_jobs.refit(run, Blobs, tmp_path / "b.keras", force=True)
    assert not (tmp_path / "b.keras").exists()


def test_the_error_of_a_refit_names_the_class_that_builds_the_model(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Blobs, "build_model", lambda self, config: None)
    with pytest.raises(RequestError, match=r"^Blobs.build_model returned a NoneType"):
        tune_jobs.refit(run, Blobs, tmp_path / "a.keras", force=True)


def test_splits_are_joined_part_by_part() -> None:
    x, y = {"a": np.zeros((2, 3)), "b": (np.zeros(2),)}, np.zeros(2)
    more = {"a": np.ones((1, 3)), "b": (np.ones(1),)}
    joint, labels, weights = joined((x, y, np.array([2.0, 3.0])), (more, np.ones(1)))
    assert joint["a"].tolist() == [[0, 0, 0], [0, 0, 0], [1, 1, 1]]
    assert joint["b"][0].tolist() == labels.tolist() == [0, 0, 1]
    assert weights.tolist() == [2, 3, 1]
    assert joined((x, y), (more, np.ones(1), np.array([5.0])))[2].tolist() == [1, 1, 5]
    assert joined((x, y), None) == (x, y)


def test_options_are_adapted_to_training_without_validation() -> None:
    watching, blind = keras.callbacks.EarlyStopping("val_loss"), keras.callbacks.EarlyStopping("loss")
    options = adapted(FitOptions(callbacks=[watching, blind], sample_weight=np.array([2.0, 3.0])), 4)
    assert options.callbacks == [blind]
    assert options.sample_weight.tolist() == [2, 3, 1, 1]


def test_workers_never_get_the_test_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tune_jobs.engine.on_ray import workers

    sent: list[Any] = []
    monkeypatch.setattr("ray.put", sent.append)
    workers.workers_for(experiment_of(), Blobs.standalone().load_data(), str(tmp_path), is_cluster=False)
    _, data, _ = sent
    assert data.test is None
    assert data.examples == {"train": 48, "validation": 24}
