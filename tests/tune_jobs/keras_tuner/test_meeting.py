"""Hyperparameters that are asked for after training began, or deep in a branch, join the space when they are met."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tune_jobs.keras_tuner as kt
from search_spaces import SearchSpace
from tests.support.outcomes import reports_of
from tests.support.tiny_trainables import blobs
from trainables import KerasTrainable, TrialSettings
from trainables.report import Report
from tune_jobs.keras_tuner.define_by_run.space import FoundSpace, find_space
from tune_jobs.keras_tuner.trials.meeting import Meeting, as_declared, with_listed_values

X, Y = blobs()


class Late(kt.RandomSearch):
    """Asks for one value before it trains, and for others afterwards."""

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
        hp = trial.hyperparameters
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 1, 2))])
        model.predict(X[:8], verbose=0)  # a look ends here
        if hp.Choice("late kind", ["a", "b"], default="b") == "b":
            return hp.Float("late_rate", 0.0, 1.0, default=0.25)
        return 2.0


@pytest.fixture
def folder(tmp_path: Path) -> dict[str, Any]:
    return {"directory": tmp_path, "project_name": "search", "seed": 0}


def reports(tuner: kt.Tuner, config: dict[str, Any], found: FoundSpace | None = None) -> list[Report]:
    experiment = tuner._experiment(tuner._plan((), {}))  # noqa: SLF001 - no public way without Ray
    assert found is None or set(experiment.space.parameters) == set(found.space.parameters)
    settings = TrialSettings(experiment.objective.metric, experiment.objective.mode, experiment.max_epochs)
    return reports_of(experiment.trainable.standalone(config, settings=settings))


def test_what_is_asked_for_after_training_is_told(folder: dict[str, Any]) -> None:
    [report] = reports(Late(max_trials=3, **folder), {"units": 1})
    assert report["metrics"] == {"default_objective": 0.25}
    assert report["met"]["config"] == {"units": 1, "late_kind": "b", "late_rate": 0.25}
    assert list(report["met"]["parameters"]) == ["late_kind", "late_rate"]
    kind = report["met"]["parameters"]["late_kind"]
    assert kind["parameter"] == {"kind": "Choice", "values": ["a", "b"]}
    assert kind["value"] == "b"
    assert kind["declared"]["config"]["name"] == "late kind"


def test_later_trials_have_values_for_it_and_keep_what_they_use(folder: dict[str, Any]) -> None:
    tuner = Late(max_trials=3, **folder)
    [whole] = reports(tuner, {"units": 1, "late_kind": "b", "late_rate": 0.75})
    assert whole["metrics"] == {"default_objective": 0.75}
    assert "met" not in whole
    [other] = reports(tuner, {"units": 1, "late_kind": "a", "late_rate": 0.75})
    assert other["metrics"] == {"default_objective": 2.0}
    assert other["met"] == {"config": {"units": 1, "late_kind": "a"}, "parameters": {}}


def test_the_space_and_the_trials_show_what_was_met(folder: dict[str, Any]) -> None:
    tuner = Late(max_trials=3, **folder)
    [report] = reports(tuner, {"units": 1})
    known = tuner.oracle.found.grown(report["met"]["parameters"])
    assert list(known.space.parameters) == ["units", "late_kind", "late_rate"]
    hp = known.hyperparameters({"units": 2, "late_kind": "a", "late_rate": 0.5})
    assert hp.values == {"units": 2, "late kind": "a", "late_rate": 0.5}


def test_new_entries_that_are_not_to_be_tuned_keep_their_defaults(folder: dict[str, Any]) -> None:
    hp = kt.HyperParameters()
    hp.Int("units", 1, 2)
    [report] = reports(Late(max_trials=3, hyperparameters=hp, tune_new_entries=False, **folder), {"units": 1})
    assert "met" not in report


def test_a_branch_that_was_not_tried_is_met_by_a_model(folder: dict[str, Any]) -> None:
    def build_model(hp: kt.HyperParameters) -> keras.Model:
        rate = hp.Float("rate", 0.0, 1.0)
        units = hp.Choice("units", [(2, 3), (4, 5)], default=(4, 5)) if 0.71 < rate < 0.72 else (1, 1)
        layers = [keras.layers.Dense(count) for count in units]
        model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(3)])
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
        return model

    tuner = kt.GridSearch(build_model, "val_loss", max_trials=3, **folder)
    assert list(tuner.oracle.found.parameters) == ["rate"]
    experiment = tuner._experiment(tuner._plan((X, Y), {"validation_split": 0.25, "epochs": 2}))  # noqa: SLF001
    worker = experiment.trainable.standalone(
        {"rate": 0.715}, settings=TrialSettings("val_loss", "min", experiment.max_epochs)
    )
    first, second = reports_of(worker)
    assert first["met"]["config"] == {"rate": 0.715, "units": [4, 5]}
    assert "met" not in second


def test_own_files_meet_parameters_too() -> None:
    def build_model(hp: kt.HyperParameters) -> keras.Model:
        rate = hp.Float("rate", 0.0, 1.0)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        sgd = keras.optimizers.SGD(hp.Choice("odd rate", [0.1, 0.2]) if 0.71 < rate < 0.72 else 0.3)
        model.compile(sgd, keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
        return model

    def load_data() -> Any:
        from trainables import Data

        return Data(train=(X, Y), validation=(X, Y))

    trainable: Any = KerasTrainable.from_hypermodel(build_model, load_data)
    worker = trainable.standalone({"rate": 0.715}, settings=TrialSettings("val_loss", "min", 1))
    assert worker.step()["met"]["config"] == {"rate": 0.715, "odd_rate": 0.1}


def met(code: Any, found: FoundSpace, config: dict[str, Any], **options: Any) -> Any:
    meeting = Meeting(found, config, **{"parameter_of": as_declared, "asks_at_once": True, **options})
    code(meeting.hyperparameters(config))
    return meeting.met(Report(done=True))


def test_scopes_become_conditions_and_taken_names_get_a_number() -> None:
    found = find_space(lambda hp: (hp.Choice("optimizer", ["adam", "sgd"]), hp.Int("dense_units", 1, 3)))

    def code(hp: kt.HyperParameters) -> None:
        hp.Choice("optimizer", ["adam", "sgd"])
        hp.Int("dense_units", 1, 3)
        hp.Int("dense units", 1, 3)
        with hp.conditional_scope("optimizer", ["sgd"]):
            hp.Float("momentum", 0.0, 0.9)

    told = met(code, found, {"optimizer": "sgd", "dense_units": 2})
    assert told["config"] == {"optimizer": "sgd", "dense_units": 2, "dense_units_2": 1, "momentum": 0.0}
    assert told["parameters"]["momentum"]["parameter"]["when"] == [{"parent": "optimizer", "is": ["sgd"]}]
    grown = found.grown(told["parameters"])
    assert isinstance(grown.space, SearchSpace)
    later = met(code, found, {"optimizer": "sgd", "dense_units": 2, "dense_units_2": 3, "momentum": 0.5})
    assert later is None
    adam = met(code, found, {"optimizer": "adam", "dense_units": 2, "dense_units_2": 3})
    assert adam is None


def test_a_grid_gets_listed_values() -> None:
    found = find_space(lambda hp: hp.Boolean("bias"))

    def code(hp: kt.HyperParameters) -> None:
        hp.Boolean("bias")
        hp.Float("rate", 0.0, 0.9)

    told = met(code, found, {"bias": True}, parameter_of=with_listed_values)
    assert np.allclose(told["parameters"]["rate"]["parameter"]["values"], np.arange(10) / 10)
