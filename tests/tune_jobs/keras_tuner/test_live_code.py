"""Code of the user's own tells its epochs while it trains, where a scheduler may stop it."""

from __future__ import annotations

import threading
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
from tune_jobs.schedulers import ASHA, NoScheduler

X, Y = blobs()
STEPS: list[str] = []


class Scaled(kt.HyperModel):
    """Trains on examples that its fit has changed, so its epochs are its own."""

    def build(self, hp: kt.HyperParameters) -> keras.Model:
        model = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(hp.Choice("units", [3, 6])), keras.layers.Dense(3)]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"], run_eagerly=True)
        return model

    def fit(self, hp: kt.HyperParameters, model: keras.Model, x: Any, y: Any, **kwargs: Any) -> Any:
        STEPS.append("begins")
        try:
            history = model.fit(x * hp.Choice("scale", [1.0, 2.0]), y, **kwargs)
        except Exception:
            STEPS.append("caught")
            raise
        STEPS.append("has trained")
        return history


class Loop(Scaled):
    """Trains in a loop of its own, as in KerasTuner's guide."""

    def fit(self, hp: kt.HyperParameters, model: keras.Model, x: Any, y: Any, **kwargs: Any) -> float:
        callbacks = kwargs["callbacks"]
        for callback in callbacks:
            callback.set_model(model)
        best = float("inf")
        for epoch in range(4):
            loss = float(np.asarray(model.train_on_batch(x, y)[0]))
            for callback in callbacks:
                callback.on_epoch_end(epoch, logs={"my_loss": loss})
            best = min(best, loss)
        return best


@pytest.fixture
def folder(tmp_path: Path) -> dict[str, Any]:
    STEPS.clear()
    return {"directory": tmp_path, "project_name": "search", "seed": 0}


def experiment_of(tuner: kt.Tuner, **kwargs: Any) -> Any:
    return tuner._experiment(tuner._plan((X, Y), kwargs))  # noqa: SLF001 - no public way without Ray


def worker_of(experiment: Any, config: dict[str, Any], folder: Path | None = None) -> Any:
    settings = TrialSettings(
        experiment.objective.metric,
        experiment.objective.mode,
        experiment.max_epochs,
        folder=None if folder is None else str(folder),
    )
    return experiment.trainable.standalone(config, experiment.trainable.standalone().load_data(), settings)


def test_asha_judges_its_epochs(folder: dict[str, Any]) -> None:
    tuner = kt.ASHA(Scaled(), "val_accuracy", max_epochs=5, **folder)
    experiment = experiment_of(tuner, validation_data=(X, Y), verbose=0)
    assert (type(experiment.scheduler), experiment.max_epochs) == (ASHA, 5)
    reports = reports_of(worker_of(experiment, {"units": 3, "scale": 2.0}))
    assert [(report["epoch"], report["done"]) for report in reports] == [
        (1, False),
        (2, False),
        (3, False),
        (4, False),
        (5, True),
    ]
    assert STEPS[-2:] == ["begins", "has trained"]
    plain = kt.RandomSearch(Scaled(), "val_accuracy", **{**folder, "project_name": "plain"})
    same = experiment_of(plain, validation_data=(X, Y), epochs=5, verbose=0)
    assert isinstance(same.scheduler, NoScheduler)
    alone = reports_of(worker_of(same, {"units": 3, "scale": 2.0}))
    assert [report["metrics"] for report in alone] == [report["metrics"] for report in reports]


def test_a_trial_that_is_stopped_leaves_no_thread_and_keeps_its_weights(folder: dict[str, Any], tmp_path: Path) -> None:
    tuner = kt.Hyperband(Scaled(), "val_accuracy", max_epochs=9, **folder)
    experiment = experiment_of(tuner, validation_data=(X, Y), verbose=0)
    before = threading.active_count()
    STEPS.clear()
    worker = worker_of(experiment, {"units": 6, "scale": 1.0}, tmp_path)
    first = worker.step()
    assert (first["epoch"], first["done"]) == (1, False)
    assert threading.active_count() > before
    worker.cleanup()
    assert STEPS == ["begins"]  # its `except Exception` has not seen the end
    assert not [thread for thread in threading.enumerate() if thread.name == "tune-jobs-trial"]
    snapshot = DiskCheckpoints(tmp_path / "0000").newest()
    assert snapshot is not None
    assert [array.shape for array in snapshot.group("best")] == [(4, 6), (6,), (6, 3), (3,)]


def test_a_loop_of_ones_own_is_judged_by_what_it_tells_its_callbacks(folder: dict[str, Any]) -> None:
    tuner = kt.ASHA(Loop(), kt.Objective("my_loss", "min"), max_epochs=9, **folder)
    reports = reports_of(worker_of(experiment_of(tuner), {"units": 3}))
    losses = [report["metrics"]["my_loss"] for report in reports]
    assert [report["done"] for report in reports] == [False, False, False, False, True]
    assert losses[-1] == min(losses[:-1])


def test_an_early_stopping_ends_it(folder: dict[str, Any]) -> None:
    tuner = kt.ASHA(Scaled(), "val_loss", max_epochs=9, **folder)
    stop = keras.callbacks.EarlyStopping("val_loss", patience=1, min_delta=100.0)
    experiment = experiment_of(tuner, validation_data=(X, Y), verbose=0, callbacks=[stop])
    reports = reports_of(worker_of(experiment, {"units": 3, "scale": 1.0}))
    assert [(report["epoch"], report["done"]) for report in reports] == [(1, False), (2, True)]


def test_what_it_raises_is_a_row(folder: dict[str, Any]) -> None:
    class Fails(Scaled):
        def fit(self, hp: kt.HyperParameters, model: keras.Model, x: Any, y: Any, **kwargs: Any) -> Any:
            history = super().fit(hp, model, x, y, **kwargs)
            if history.history:
                raise ValueError("no such file")
            return history

    tuner = kt.ASHA(Fails(), "val_loss", max_epochs=2, **folder)
    experiment = experiment_of(tuner, validation_data=(X, Y), verbose=0)
    reports = reports_of(worker_of(experiment, {"units": 3, "scale": 1.0}))
    assert "no such file" in reports[-1]["error"]
