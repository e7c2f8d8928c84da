"""What a worker measures of a model before it is trained, and constraints in the worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest

from tests.support.tiny_trainables import Scripted, Tiny, train
from trainables import TrialSettings
from trainables.settings import ControlValues
from trainables.storage.checkpoint import DiskCheckpoints

ALL = ("parameters", "model_bytes", "inference_ms")


class Wide(Tiny):
    def build_model(self, config: dict[str, Any]) -> keras.Model:
        units = config["units"]
        layers = [
            keras.layers.Dense(units),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3, activation="softmax"),
        ]
        model = keras.Sequential(layers)  # without an Input: it has no weights before it is called
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
        return model


def settings(**fields: Any) -> TrialSettings:
    return TrialSettings(**{"metric": "val_loss", "mode": "min", "max_epochs": 3, **fields})


def test_each_epoch_reports_what_was_measured() -> None:
    first, second = train(Wide.standalone({"units": 8}, settings=settings(measures=ALL, needed=ALL)), 2)
    weights = 4 * 8 + 8 + 4 * 8 + 8 * 3 + 3
    assert first["metrics"]["parameters"] == weights
    assert first["metrics"]["model_bytes"] == 4 * weights
    assert 0 < first["metrics"]["inference_ms"] < 10_000
    assert {name: first["metrics"][name] for name in ALL} == {name: second["metrics"][name] for name in ALL}


def test_nothing_is_measured_that_nobody_asked_for() -> None:
    (report,) = train(Wide.standalone({"units": 8}, settings=settings()), 1)
    assert list(report["metrics"]) == ["loss", "val_loss"]


def test_measuring_changes_nothing_in_the_training() -> None:
    plain, measured = (
        train(Wide.standalone({"units": 8}, settings=settings(measures=measures)), 2) for measures in ((), ALL)
    )
    for one, other in zip(plain, measured, strict=True):
        assert one["metrics"]["val_loss"] == other["metrics"]["val_loss"]


@pytest.mark.parametrize("executions", [1, 2])
def test_a_model_that_is_too_large_is_not_trained(executions: int, tmp_path: Path) -> None:
    given = settings(
        measures=("parameters",),
        constraints=("parameters <= 100", "val_loss < 5"),
        executions=executions,
        folder=str(tmp_path),
    )
    worker = Wide.standalone({"units": 64}, settings=given)
    assert worker.step() == {"done": True, "refused": "parameters 771 > 100"}
    assert worker.reset_config(ControlValues(trial=1).wrap({"units": 8}))
    report = worker.step()
    assert (report["epoch"], report["metrics"]["parameters"]) == (1, 99)
    worker.cleanup()
    assert not (tmp_path / "0000").exists()


def test_a_trial_that_goes_on_keeps_the_time_that_was_measured(tmp_path: Path) -> None:
    given = settings(measures=("inference_ms",), folder=str(tmp_path), constraints=("inference_ms < 1e9",))
    worker = Wide.standalone({"units": 8}, settings=given)
    first = worker.step()
    worker.cleanup()
    again = Wide.standalone(ControlValues(reported=1).wrap({"units": 8}), settings=given)
    assert again.step()["metrics"]["inference_ms"] == first["metrics"]["inference_ms"]
    assert again.step()["metrics"]["inference_ms"] == first["metrics"]["inference_ms"]
    again.cleanup()


@pytest.mark.parametrize(("scores", "best"), [([1, 3, 9, 2], 2), ([9, 8, 7, 6.5], 4), ([5, 9, 4, 4.5], 1)], ids=str)
def test_the_weights_that_are_kept_are_of_an_epoch_that_keeps_the_constraints(
    scores: list[float], best: int, tmp_path: Path
) -> None:
    given = TrialSettings(metric="score", max_epochs=4, constraints=("score <= 5",), folder=str(tmp_path))
    train(Scripted.standalone({"scores": scores}, settings=given), 4)
    state = DiskCheckpoints(tmp_path / "0000").newest().state
    assert state["best_epoch"] == best
    assert ("best_violation" in state) == (best == 4)


def test_a_metric_that_a_constraint_names_and_the_model_lacks_ends_the_run_in_words() -> None:
    worker = Tiny.standalone({}, settings=settings(constraints=("val_f1 > 0.5",), needed=("val_f1",)))
    assert "`val_f1`, which an objective or a constraint names, is not among the metrics" in str(
        worker.step()["mistake"]
    )
