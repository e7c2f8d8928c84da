"""Tuners without a search: what they refuse, what they train, and what they read."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tune_jobs.keras_tuner as kt
from tests.support.outcomes import reports_of
from tests.support.tiny_trainables import blobs
from trainables import TrialSettings
from tune_jobs.schedulers import ASHA, NoScheduler
from tune_jobs.searchers import Bayesian, Grid, HyperOpt, Random

X, Y = blobs()
LOSS = keras.losses.SparseCategoricalCrossentropy()


def build_model(hp: kt.HyperParameters) -> keras.Model:
    layers = [keras.layers.Dense(hp.Int(f"units_{index}", 4, 12, step=4)) for index in range(hp.Int("layers", 1, 2))]
    model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(3, activation="softmax")])
    optimizer = keras.optimizers.SGD(hp.Float("learning_rate", 1e-3, 1e-1, sampling="log"))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    return model


def experiment_of(tuner: kt.Tuner, **arguments: Any) -> Any:
    plan = tuner._plan((X, Y), {"validation_split": 0.25, **arguments})  # noqa: SLF001 - no public way without Ray
    return tuner._experiment(plan)  # noqa: SLF001


def trained(tuner: kt.Tuner, epochs: int, **arguments: Any) -> list[Any]:
    """Train the first configuration of a search without Ray."""
    experiment = experiment_of(tuner, epochs=epochs, **arguments)
    config = experiment.space.sample(np.random.default_rng(0))
    settings = TrialSettings(experiment.objective.metric, experiment.objective.mode, experiment.max_epochs)
    worker = experiment.trainable.standalone(config, settings=settings)
    return reports_of(worker)


@pytest.fixture
def folder(tmp_path: Path) -> dict[str, Any]:
    return {"directory": tmp_path, "project_name": "search"}


@pytest.mark.parametrize(
    ("make", "searcher", "scheduler", "trials", "epochs"),
    [
        (lambda **others: kt.RandomSearch(build_model, "val_loss", 7, **others), Random, NoScheduler, 7, 3),
        (lambda **others: kt.BayesianOptimization(build_model, "val_loss", **others), Bayesian, NoScheduler, 10, 3),
        (lambda **others: kt.HyperOpt(build_model, "val_loss", **others), HyperOpt, NoScheduler, 10, 3),
        (lambda **others: kt.GridSearch(build_model, "val_loss", **others), Grid, NoScheduler, None, 3),
        (lambda **others: kt.ASHA(build_model, "val_loss", 9, **others), HyperOpt, ASHA, 10, 9),
        (lambda **others: kt.Hyperband(build_model, "val_loss", 9, **others), Random, ASHA, 17, 9),
        (lambda **others: kt.Hyperband(build_model, "val_loss", 9, max_trials=4, **others), Random, ASHA, 4, 9),
    ],
)
def test_a_tuner_is_an_experiment(
    make: Any, searcher: Any, scheduler: Any, trials: Any, epochs: int, folder: dict[str, Any]
) -> None:
    experiment = experiment_of(make(seed=0, **folder), epochs=3)
    assert isinstance(experiment.searcher, searcher)
    assert isinstance(experiment.scheduler, scheduler)
    assert (experiment.trials, experiment.max_epochs, experiment.seed) == (trials, epochs, 0)
    assert experiment.objective.mode == "min"
    assert list(experiment.space.parameters) == ["layers", "units_0", "units_1", "learning_rate"]


def test_a_grid_has_ten_values_of_a_range_without_steps(folder: dict[str, Any]) -> None:
    tuner = kt.GridSearch(build_model, "val_loss", **folder)
    rates = [config["learning_rate"] for config in tuner.oracle.found.space.grid()][:10]
    assert rates == sorted(rates)
    assert (len(set(rates)), rates[0], rates[-1]) == (10, 1e-3, 1e-1)
    assert tuner.oracle.found.space.size == 10 * (3 + 9)


def test_a_model_is_trained_as_fit_would(folder: dict[str, Any]) -> None:
    stop = keras.callbacks.EarlyStopping("val_loss", patience=1, min_delta=100.0)
    reports = trained(kt.RandomSearch(build_model, "val_accuracy", **folder), epochs=5, callbacks=[stop])
    assert [report["epoch"] for report in reports] == [1, 2]
    assert "val_accuracy" in reports[0]["metrics"]


def test_several_objectives_are_reported_as_their_sum(folder: dict[str, Any]) -> None:
    tuner = kt.RandomSearch(build_model, ["val_loss", kt.Objective("val_accuracy", "max")], **folder)
    metrics = trained(tuner, epochs=1)[0]["metrics"]
    assert metrics["multi_objective"] == pytest.approx(metrics["val_loss"] - metrics["val_accuracy"])


def test_a_model_that_is_too_large_is_a_failed_trial(folder: dict[str, Any]) -> None:
    [report] = trained(kt.RandomSearch(build_model, "val_loss", max_model_size=10, **folder), epochs=1)
    assert "max_model_size allows 10 at most" in report["error"]


def test_what_the_tuner_compiles_replaces_what_the_model_has(folder: dict[str, Any]) -> None:
    tuner = kt.RandomSearch(build_model, "val_sparse_top_k_categorical_accuracy", loss=LOSS, metrics=[
        keras.metrics.SparseTopKCategoricalAccuracy(k=2)
    ], optimizer=keras.optimizers.Adam(0.25), **folder)  # fmt: skip
    model = tuner.build(tuner.oracle.get_space())
    assert (model.loss, float(model.optimizer.learning_rate)) == (LOSS, 0.25)
    assert "val_sparse_top_k_categorical_accuracy" in trained(tuner, epochs=1)[0]["metrics"]


def test_something_else_than_a_model_is_told(folder: dict[str, Any]) -> None:
    def build_nothing(hp: kt.HyperParameters) -> None:
        hp.Boolean("bias")

    [report] = trained(kt.RandomSearch(build_nothing, "val_loss", **folder), epochs=1)
    assert "build_nothing() returned a NoneType, but must return a compiled keras.Model" in report["mistake"]


def test_a_class_declares_and_builds(folder: dict[str, Any]) -> None:
    class Model(kt.HyperModel):
        def __init__(self, classes: int) -> None:
            self.classes = classes

        def declare_hyperparameters(self, hp: kt.HyperParameters) -> None:
            hp.Choice("learning_rate", [0.1, 0.2])

        def build(self, hp: kt.HyperParameters) -> keras.Model:
            model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(self.classes)])
            model.compile(keras.optimizers.SGD(hp.get("learning_rate")), "mse")
            return model

    assert list(kt.RandomSearch(Model(3), "val_loss", **folder).oracle.found.parameters) == ["learning_rate"]
    not_tunable = Model(3)
    not_tunable.tunable = False
    tuner = kt.RandomSearch(not_tunable, "val_loss", **folder)
    assert [declared.default for declared in tuner.oracle.found.parameters.values()] == [0.1]


def test_given_hyperparameters_can_be_the_only_ones(folder: dict[str, Any]) -> None:
    hp = kt.HyperParameters()
    hp.Choice("learning_rate", [0.01, 0.02])
    tuner = kt.RandomSearch(build_model, "val_loss", hyperparameters=hp, tune_new_entries=False, **folder)
    assert list(tuner.oracle.found.parameters) == ["learning_rate"]
    assert tuner.oracle.found.space.size == 2
    with pytest.raises(kt.FatalError, match=r"asks for layers, units_0, .* but `allow_new_entries` is False"):
        kt.RandomSearch(build_model, "val_loss", hyperparameters=hp, allow_new_entries=False, **folder)


@pytest.mark.parametrize(
    ("make", "error", "mistake"),
    [
        (lambda: kt.RandomSearch(build_model, "val_happiness"), ValueError, "does not tell whether more"),
        (lambda: kt.RandomSearch(build_model, "val_loss", max_trials=0), ValueError, "`max_trials` is 0"),
        (lambda: kt.RandomSearch(build_model, "val_loss", seed=-1), ValueError, "`seed` is -1"),
        (lambda: kt.RandomSearch(build_model, "val_loss", trials=3), ValueError, "has no argument `trials`"),
        (lambda: kt.RandomSearch(3, "val_loss"), ValueError, "`hypermodel` is 3, but must be a function"),
        (lambda: kt.RandomSearch(kt.HyperModel, "val_loss"), ValueError, r"must be an instance: HyperModel\(\)"),
        (
            lambda: kt.BayesianOptimization(build_model, "val_loss", beta=3),
            NotImplementedError,
            "no `alpha` and `beta`",
        ),
        (lambda: kt.Hyperband(build_model, "val_loss", factor=1), ValueError, "`factor` is 1"),
        (lambda: kt.Tuner(3, build_model), ValueError, "must be an oracle"),
        (lambda: kt.RandomSearch(build_model, "val_loss", logger=3), NotImplementedError, "journal has everything"),
        (
            lambda: kt.RandomSearch(build_model, "val_loss", distribution_strategy=3),
            NotImplementedError,
            r"resources=tune_jobs\.Resources",
        ),
        (
            lambda: kt.RandomSearch(build_model, "val_loss", tune_new_entries=False),
            ValueError,
            "there would be nothing to search",
        ),
    ],
)
def test_a_wrong_request_is_refused_at_construction(make: Any, error: Any, mistake: str) -> None:
    with pytest.raises(error, match=mistake):
        make()


def test_what_is_not_here_says_what_to_use() -> None:
    with pytest.raises(NotImplementedError, match=r"HyperResNet: take a model of keras\.applications"):
        from tune_jobs.keras_tuner.applications import HyperResNet  # noqa: F401
    with pytest.raises(NotImplementedError, match="synchronized: an oracle is not locked here"):
        from tune_jobs.keras_tuner import synchronized  # noqa: F401
    with pytest.raises(NotImplementedError, match=r"distribute.utils: a search runs on all cores by itself"):
        _ = kt.distribute.utils
    with pytest.raises(NotImplementedError, match="CloudLogger: the run's journal has everything"):
        from tune_jobs.keras_tuner.engine.logger import CloudLogger  # noqa: F401
    with pytest.raises(NotImplementedError, match=r"resources=tune_jobs\.Resources"):
        from tune_jobs.keras_tuner.engine.tuner import maybe_distribute  # noqa: F401


def test_a_folder_of_something_else_is_not_deleted(tmp_path: Path, folder: dict[str, Any]) -> None:
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "thesis.tex").write_text("years of work")
    with pytest.raises(kt.FatalError, match="not that of a search, so overwrite=True does not delete it"):
        kt.RandomSearch(build_model, "val_loss", overwrite=True, **folder)
    assert (tmp_path / "search" / "thesis.tex").exists()


def test_a_search_of_keras_tuner_itself_is_not_continued(tmp_path: Path, folder: dict[str, Any]) -> None:
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "oracle.json").write_text("{}")
    with pytest.raises(kt.FatalError, match="a search of KerasTuner itself"):
        kt.RandomSearch(build_model, "val_loss", **folder)
    kt.RandomSearch(build_model, "val_loss", overwrite=True, **folder)
    assert not (tmp_path / "search").exists()


def test_before_a_search_there_is_nothing_to_read(folder: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    tuner = kt.RandomSearch(build_model, "val_loss", **folder)
    assert tuner.oracle.trials == {}
    assert tuner.get_best_models() == []
    assert tuner.get_best_hyperparameters(3) == []
    assert tuner.remaining_trials == 10
    tuner.results_summary()
    assert capsys.readouterr().out.splitlines()[-1] == 'Objective(name="val_loss", direction="min")'


def test_a_seed_of_nought_is_a_seed(folder: dict[str, Any]) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse")

    def build_one(hp: kt.HyperParameters) -> keras.Model:
        hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
        return model

    def first(seed: int) -> Any:
        experiment = experiment_of(kt.RandomSearch(build_one, "val_loss", seed=seed, **folder))
        search = experiment.searcher.start(experiment.space, seed=experiment.seed, rungs=(), max_epochs=1)
        return [search.propose(trial) for trial in range(5)]

    assert first(0) == first(0)
    assert not [config for config in first(0) if config in first(1)]  # neighbouring seeds have nothing in common


def test_callbacks_are_copied_for_each_trial(folder: dict[str, Any]) -> None:
    class Counting(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.epochs = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.epochs += 1
            logs["epochs_so_far"] = self.epochs

    counting = Counting()
    tuner = kt.RandomSearch(build_model, kt.Objective("epochs_so_far", "max"), **folder)
    assert trained(tuner, epochs=2, callbacks=counting)[-1]["metrics"]["epochs_so_far"] == 2
    assert counting.epochs == 0
    assert copy.deepcopy(counting).epochs == 0


def test_the_names_of_a_model_do_not_tell_of_the_builds_before_it(folder: dict[str, Any]) -> None:
    def build_named(hp: kt.HyperParameters) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 3, 9))])
        model.compile("sgd", "mse", metrics=[keras.metrics.MeanAbsoluteError()])
        return model

    before = keras.layers.Dense(1).name
    tuner = kt.RandomSearch(build_named, "val_loss", **folder)
    experiment_of(tuner, epochs=1)
    number = int(before.partition("_")[2] or 0)
    assert keras.layers.Dense(1).name == f"dense_{number + 1}"
