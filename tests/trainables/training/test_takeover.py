"""A trial that goes on with the weights of another one, and with its own learning rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.support.outcomes import BeginTrial
from tests.support.tiny_trainables import Tiny, train
from trainables.settings import DONOR_KEY, REPORTED_KEY, TRIAL_KEY
from trainables.storage.checkpoint import DiskCheckpoints, superseded


class Rated(Tiny):
    """A model whose rate, dropout and width are searched."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(config.get("units", 8), "relu"),
                keras.layers.Dropout(config.get("dropout", 0.2)),
                keras.layers.Dense(3, "softmax"),
            ]
        )
        adam = keras.optimizers.Adam(config["rate"])
        model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
        return model


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    return {"max_epochs": 6, "folder": str(tmp_path), "milestones": (2, 4), "waits_at_milestones": True}


def take_over(begin: BeginTrial, settings: dict[str, Any], config: dict[str, Any]) -> Any:
    """Train trials 3 and 5 for 2 epochs, and let 5 go on with the weights of 3."""
    worker = begin(Rated, {"rate": 0.01, TRIAL_KEY: 3}, **settings)
    train(worker, 2)
    worker.reset_config({"rate": 0.1, TRIAL_KEY: 5})
    train(worker, 2)
    worker.reset_config({**config, TRIAL_KEY: 5, REPORTED_KEY: 2, DONOR_KEY: [3, 2]})
    return worker


def test_weights_and_moments_come_from_the_donor_and_the_rate_from_the_configuration(
    begin: BeginTrial, settings: dict[str, Any], tmp_path: Path
) -> None:
    worker = take_over(begin, settings, {"rate": 0.003, "dropout": 0.5})
    training = worker.current_trial.training
    donor = DiskCheckpoints(tmp_path / "0003").newest()
    assert training.epoch == donor.epoch == 2
    for variable, value in zip(training.model.variables, donor.group("model"), strict=True):
        np.testing.assert_array_equal(np.array(variable), value)
    assert float(training.model.optimizer.learning_rate) == pytest.approx(0.003)
    assert int(training.model.optimizer.iterations) > 0
    report = worker.step()
    assert report["epoch"] == 3
    assert "earlier_epochs" not in report


def test_a_worker_that_died_goes_on_from_the_trial_s_own_checkpoint_after_that(
    begin: BeginTrial, settings: dict[str, Any]
) -> None:
    config = {"rate": 0.003}
    worker = take_over(begin, settings, config)
    whole = train(worker, 4)
    again = begin(Rated, {"rate": 0.5, TRIAL_KEY: 9}, **settings)
    again.reset_config({**config, TRIAL_KEY: 5, REPORTED_KEY: 6, DONOR_KEY: [3, 2]})
    assert again.step()["metrics"] == whole[-1]["metrics"]


def test_before_its_first_own_checkpoint_it_takes_over_again(begin: BeginTrial, settings: dict[str, Any]) -> None:
    config = {"rate": 0.003}
    worker = take_over(begin, settings, config)
    first = worker.step()
    again = begin(Rated, {"rate": 0.5, TRIAL_KEY: 9}, **settings)
    again.reset_config({**config, TRIAL_KEY: 5, REPORTED_KEY: 3, DONOR_KEY: [3, 2]})
    report = again.step()
    assert (report["epoch"], report["metrics"]) == (3, first["metrics"])


def test_weights_that_do_not_fit_are_told(begin: BeginTrial, settings: dict[str, Any]) -> None:
    report = take_over(begin, settings, {"rate": 0.003, "units": 16}).step()
    assert report["done"]
    assert "The weights of trial 3 do not fit the model of this configuration." in report["error"]
    assert "name them in `parameters`" in report["error"]


def test_weights_that_are_gone_are_told(begin: BeginTrial, settings: dict[str, Any], tmp_path: Path) -> None:
    worker = take_over(begin, settings, {"rate": 0.003})
    DiskCheckpoints(tmp_path / "0003").remove()
    assert "The weights of trial 3 after epoch 2 are gone" in worker.step()["error"]


def test_checkpoints_of_the_last_two_milestones_are_kept() -> None:
    names = [f"epoch-{epoch:06d}" for epoch in (9, 8, 7, 6, 3, 2)]
    assert superseded(names, ()) == names[2:]
    assert superseded(names, (3, 6, 9)) == ["epoch-000007", "epoch-000003", "epoch-000002"]
