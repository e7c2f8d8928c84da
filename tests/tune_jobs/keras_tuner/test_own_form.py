"""A ``build_model(hp)`` in files of our own form, and scripts for KerasTuner on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest

from search_spaces import InvalidDeclaration
from tests.support.tiny_trainables import Tiny, tiny_data
from trainables import FitOptions, KerasTrainable, TrialSettings
from tune_jobs import Experiment, Objective
from tune_jobs.errors import RequestError
from tune_jobs.loading.loader import load

SCRIPT = '''
"""Which network tells the sign of a sum?"""
import keras
import numpy as np
import tune_jobs.keras_tuner as kt

x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")


def build_model(hp):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Choice("units", [2, 4])), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


tuner = kt.RandomSearch(build_model, "val_loss", max_trials=7, seed=3, directory="searches", overwrite=True)
tuner.search(x, x.sum(axis=1), epochs=5, validation_split=0.25)
model = tuner.get_best_models()[0]
raise SystemExit("nobody came here")
'''


def build_model(hp: Any) -> keras.Model:
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(hp.Int("units", 3, 6, step=3)), keras.layers.Dense(3)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"], run_eagerly=True)
    return model


def stop(hp: Any) -> FitOptions:
    return FitOptions([keras.callbacks.EarlyStopping("val_loss", patience=hp.Choice("patience", [1]), min_delta=100)])


def test_an_experiment_takes_the_space_of_its_trainable() -> None:
    trainable = KerasTrainable.from_hypermodel(build_model, tiny_data, fit_options=stop, batch_size=12)
    experiment = Experiment(trainable, objective=Objective("val_accuracy", "max"), trials=3)
    assert list(experiment.space.parameters) == ["units", "patience"]
    worker = experiment.trainable.standalone({"units": 3, "patience": 1}, settings=TrialSettings(max_epochs=9))
    reports = [worker.step(), worker.step()]
    assert [report["done"] for report in reports] == [False, True]
    assert (trainable.__name__, trainable.batch_size) == ("BuildModel", 12)


def test_an_experiment_without_a_space_or_an_objective_is_refused() -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        Experiment(Tiny, trials=3)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["space", "objective"]


def test_a_script_for_keras_tuner_is_an_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "searches" / "untitled_project").mkdir(parents=True)
    loaded = load("script.py")
    assert loaded.name == "script"
    assert loaded.reference.endswith("script.py:SEARCH")
    experiment = loaded.experiment
    assert (experiment.trials, experiment.max_epochs, experiment.seed) == (7, 5, 3)
    assert list(experiment.space.parameters) == ["units"]
    worker = experiment.trainable.standalone({"units": 2}, settings=TrialSettings("val_loss", "min", max_epochs=1))
    assert worker.step()["epoch"] == 1
    assert (tmp_path / "searches" / "untitled_project").exists()  # overwrite=True has deleted nothing


def test_a_script_that_fails_before_its_search_says_so(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT.replace('"val_loss"', '"val_happiness"'))
    with pytest.raises(RequestError, match="does not tell whether more of it is better"):
        load(str(tmp_path / "script.py"))
