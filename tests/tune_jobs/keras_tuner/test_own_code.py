"""Searches whose ``fit`` or ``run_trial`` is the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tune_jobs.keras_tuner as kt
from tests.support.outcomes import reports_of
from tests.support.tiny_trainables import blobs
from trainables import TrialSettings
from trainables.storage.checkpoint import DiskCheckpoints
from tune_jobs.keras_tuner.trials.results import epochs_of

X, Y = blobs()


def build_model(hp: kt.HyperParameters) -> keras.Model:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Choice("units", [3, 6])), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"], run_eagerly=True)
    return model


class Model(kt.HyperModel):
    def build(self, hp: kt.HyperParameters) -> keras.Model:
        return build_model(hp)


def experiment_of(tuner: kt.Tuner, *args: Any, **kwargs: Any) -> Any:
    return tuner._experiment(tuner._plan(args, kwargs))  # noqa: SLF001 - no public way without Ray


def trained(experiment: Any, config: dict[str, Any], folder: Path | None = None) -> list[Any]:
    """Train one configuration without Ray, and return the reports of its epochs."""
    assert experiment.space.contains(config), experiment.space.validate(config)
    settings = TrialSettings(
        experiment.objective.metric,
        experiment.objective.mode,
        experiment.max_epochs,
        folder=None if folder is None else str(folder),
    )
    worker = experiment.trainable.standalone(config, experiment.trainable.standalone().load_data(), settings)
    return reports_of(worker)


@pytest.fixture
def folder(tmp_path: Path) -> dict[str, Any]:
    return {"directory": tmp_path, "project_name": "search", "seed": 0}


def test_a_fit_may_choose_the_batch_size(folder: dict[str, Any]) -> None:
    class Batches(Model):
        def fit(self, hp: kt.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
            return model.fit(*args, batch_size=hp.Choice("batch_size", [8, 24]), **kwargs)

    class Steps(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["steps"] = int(self.model.optimizer.iterations)

    tuner = kt.RandomSearch(Batches(), "val_loss", **folder)
    assert list(tuner.oracle.found.parameters) == ["units"]
    experiment = experiment_of(tuner, X, Y, epochs=2, validation_split=0.5, callbacks=[Steps()])
    assert list(experiment.space.parameters) == ["units", "batch_size"]
    reports = trained(experiment, {"units": 3, "batch_size": 8})
    assert [report["epoch"] for report in reports] == [1, 2]
    assert [report["metrics"]["steps"] for report in reports] == [3, 6]


def test_a_run_trial_may_change_the_arguments_of_the_fit(folder: dict[str, Any]) -> None:
    class Mine(kt.BayesianOptimization):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
            kwargs["batch_size"] = trial.hyperparameters.Int("batch_size", 8, 24, step=8)
            kwargs["epochs"] = trial.hyperparameters.Int("epochs", 1, 3)
            return super().run_trial(trial, *args, **kwargs)

    experiment = experiment_of(Mine(build_model, "val_accuracy", **folder), X, Y, validation_data=(X, Y))
    assert list(experiment.space.parameters) == ["batch_size", "epochs", "units"]
    assert experiment.max_epochs == 3
    for epochs in (1, 2):
        reports = trained(experiment, {"batch_size": 16, "epochs": epochs, "units": 3})
        assert [report["epoch"] for report in reports] == list(range(1, epochs + 1))


def test_a_training_loop_of_ones_own_returns_its_metrics(folder: dict[str, Any], tmp_path: Path) -> None:
    class Loop(Model):
        def fit(self, hp: kt.HyperParameters, model: keras.Model, x: Any, y: Any, callbacks: Any = None) -> Any:
            size = hp.Choice("batch", [16, 48])
            for callback in callbacks:
                callback.set_model(model)
            for epoch in range(2):
                losses = [
                    float(np.asarray(model.train_on_batch(x[start : start + size], y[start : start + size])[0]))
                    for start in range(0, len(x), size)
                ]
                for callback in callbacks:
                    callback.on_epoch_end(epoch, {"my_loss": np.mean(losses)})
            return {"my_loss": np.mean(losses), "steps": len(losses)}

    tuner = kt.RandomSearch(Loop(), kt.Objective("my_loss", "min"), **folder)
    experiment = experiment_of(tuner, X, Y)
    assert list(experiment.space.parameters) == ["units", "batch"]
    [report] = trained(experiment, {"units": 6, "batch": 16}, tmp_path)
    assert report["metrics"]["steps"] == 3
    snapshot = DiskCheckpoints(tmp_path / "0000").newest()
    assert snapshot is not None
    assert [array.shape for array in snapshot.group("best")] == [(4, 6), (6,), (6, 3), (3,)]


def test_anything_can_be_searched_without_a_model(folder: dict[str, Any]) -> None:
    class Quadratic(kt.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            hp = trial.hyperparameters
            if hp.Choice("form", ["square", "line"]) == "square":
                return (hp.Float("x", -2.0, 2.0) - 1) ** 2
            return hp.Float("slope", 1, 2)

    tuner = Quadratic(max_trials=20, **folder)
    experiment = experiment_of(tuner)
    assert {"form", "x", "slope"} == set(experiment.space.parameters)
    assert trained(experiment, {"form": "square", "x": 0.0})[0]["metrics"] == {"default_objective": 1.0}
    assert trained(experiment, {"form": "line", "slope": 1.5})[0]["metrics"] == {"default_objective": 1.5}


def test_each_execution_has_a_seed_of_its_own_and_counts_alike(folder: dict[str, Any]) -> None:
    class Fits(Model):
        def fit(self, hp: kt.HyperParameters, model: keras.Model, x: Any, y: Any, **kwargs: Any) -> Any:
            history = model.fit(x[:24], y[:24], epochs=2, verbose=0, **kwargs)
            return {"val_loss": history.history["loss"][-1]}

    tuner = kt.RandomSearch(Fits(), "val_loss", executions_per_trial=2, **folder)
    experiment = experiment_of(tuner, X, Y)
    first, again = (trained(experiment, {"units": 3}) for _ in range(2))
    assert first[0]["metrics"] == again[0]["metrics"]
    single = kt.RandomSearch(Fits(), "val_loss", **folder)
    assert trained(experiment_of(single, X, Y), {"units": 3})[0]["metrics"] != first[0]["metrics"]


def test_folds_are_not_mistaken_for_one_fit(folder: dict[str, Any]) -> None:
    class Folds(kt.RandomSearch):
        def run_trial(self, trial: Any, x: Any, y: Any, **kwargs: Any) -> Any:
            scores = []
            for fold in range(3):
                model = self.hypermodel.build(trial.hyperparameters)  # type: ignore[union-attr]
                held_out = np.arange(len(x)) % 3 == fold
                model.fit(x[~held_out], y[~held_out], verbose=0, **kwargs)
                scores.append(model.evaluate(x[held_out], y[held_out], verbose=0)[0])
            return {"val_loss": float(np.mean(scores))}

    experiment = experiment_of(Folds(build_model, "val_loss", **folder), X, Y, epochs=2)
    [report] = trained(experiment, {"units": 3})
    assert 0 < report["metrics"]["val_loss"] < 10


def test_what_is_no_result_ends_the_search_in_words(folder: dict[str, Any]) -> None:
    class Nothing(kt.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> None:
            trial.hyperparameters.Boolean("bias")

    [report] = trained(experiment_of(Nothing(max_trials=3, **folder)), {"bias": True})
    assert "Nothing.run_trial() or fit() returned None, but must return the metrics" in report["mistake"]


def test_a_trial_that_fails_is_a_row(folder: dict[str, Any]) -> None:
    class Fails(kt.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            if trial.hyperparameters.Boolean("bad"):
                raise kt.FailedTrialError("too large")
            return 1.0

    experiment = experiment_of(Fails(max_trials=3, **folder))
    assert "too large" in trained(experiment, {"bad": True})[0]["error"]
    assert trained(experiment, {"bad": False})[0]["error"] is None


def test_the_old_way_to_report_still_works(folder: dict[str, Any]) -> None:
    class Old(kt.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> None:
            self.oracle.update_trial(trial.trial_id, {"score": trial.hyperparameters.Int("x", 1, 3)})

    experiment = experiment_of(Old(objective=kt.Objective("score", "max"), max_trials=3, **folder))
    assert trained(experiment, {"x": 3})[0]["metrics"] == {"score": 3.0}


def test_methods_of_a_tuner_are_called_in_the_worker(folder: dict[str, Any]) -> None:
    class Watching(kt.RandomSearch):
        def on_epoch_end(self, trial: Any, model: Any, epoch: int, logs: Any = None) -> None:
            logs["units_seen"] = trial.hyperparameters.get("units")

    experiment = experiment_of(Watching(build_model, kt.Objective("units_seen", "max"), **folder), X, Y, epochs=2)
    assert [report["metrics"]["units_seen"] for report in trained(experiment, {"units": 6})] == [6, 6]


@pytest.mark.parametrize(
    ("result", "epochs"),
    [
        (0.5, [{"val_loss": 0.5}]),
        (np.float32(0.5), [{"val_loss": 0.5}]),
        ([0.5, 1.5], [{"val_loss": 1.0}]),
        ({"val_loss": 0.5, "loss": 2}, [{"val_loss": 0.5, "loss": 2.0}]),
    ],
)
def test_results_are_metrics_of_epochs(result: Any, epochs: Any) -> None:
    assert epochs_of(result, kt.Objective("val_loss", "min"), "fit()") == epochs


def test_histories_are_averaged_by_epoch_or_by_their_best() -> None:
    def history(*losses: float) -> Any:
        made = keras.callbacks.History()
        made.history = {"val_loss": list(losses)}
        return made

    objective = kt.Objective("val_loss", "min")
    assert epochs_of(history(3, 2), objective, "fit()") == [{"val_loss": 3}, {"val_loss": 2}]
    assert epochs_of([history(3, 2), history(5, 4)], objective, "fit()") == [{"val_loss": 4}, {"val_loss": 3}]
    assert epochs_of([history(3, 2, 9), history(4)], objective, "fit()") == [{"val_loss": 3}]
    with pytest.raises(kt.FatalError, match="but not the objective"):
        epochs_of({"loss": 3}, objective, "fit()")
    with pytest.raises(kt.FatalError, match="returned a str"):
        epochs_of("good", objective, "fit()")
