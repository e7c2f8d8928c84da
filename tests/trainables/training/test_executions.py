"""A configuration that is trained several times: what its trial reports, keeps and survives."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.outcomes import BeginTrial
from tests.support.tiny_trainables import Everything, Script, Tiny, blobs, tiny_data, train
from trainables import Data, FitOptions, KerasTrainable, TrialSettings
from trainables.random_streams import trial_seed
from trainables.storage.checkpoint import CheckpointError, DiskCheckpoints, Snapshot
from trainables.storage.layout import ARCHITECTURE_FILE
from trainables.training.executions import Executions, average
from trainables.training.training import Training

NAN, INF = float("nan"), float("inf")


class ScoredExecutions(Tiny):
    """The n-th execution reports the scores of ``config["scores"][n]``, and ends itself after the last of them."""

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        self.made = getattr(self, "made", -1) + 1
        scores = config["scores"][self.made % len(config["scores"])]
        losses = [Script(scores, name="loss")] if config.get("is_loss") else []
        return FitOptions(callbacks=[Script(scores), End(len(scores)), *losses, *config.get("callbacks", [])])


class End(keras.callbacks.Callback):
    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs = epochs

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.stop_training = epoch + 1 >= self.epochs


def scored(begin: BeginTrial, scores: list[list[float]], *, is_loss: bool = False, **settings: Any) -> KerasTrainable:
    config = {"scores": scores, "is_loss": is_loss}
    return begin(ScoredExecutions, config, executions=len(scores), metric="score", max_epochs=3, **settings)


def column(results: Sequence[Mapping[str, Any]], metric: str) -> list[float]:
    return [result["metrics"][metric] for result in results]


# What is reported.


def test_the_mean_and_the_spread_are_reported(begin: BeginTrial) -> None:
    (result,) = train(scored(begin, [[0.5], [0.9], [0.7]]), 1)
    assert result["metrics"]["score"] == pytest.approx(0.7)
    assert result["metrics"]["score_std"] == pytest.approx(0.2)
    assert result["score_std"] == result["metrics"]["score_std"]
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} < result["metrics"].keys()
    assert "loss_std" not in result["metrics"]


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=6))
def test_means_lie_between_what_they_are_of(values: list[float]) -> None:
    mean = average([{"a": value} for value in values], "a")
    assert min(values) <= mean["a"] <= max(values)
    assert (mean["a_std"] == 0) == (len(set(values)) == 1)


def test_only_what_all_report_is_averaged() -> None:
    assert average([{"a": 1.0, "b": 2.0}, {"a": 3.0}], None) == {"a": 2.0}


@pytest.mark.parametrize("worst", [NAN, INF, -INF])
def test_a_mean_of_what_is_no_number_is_none(worst: float) -> None:
    found = average([{"a": 1.0}, {"a": worst}], "a")
    assert not math.isfinite(found["a"])
    assert math.isnan(found["a_std"])


def test_an_execution_that_ended_itself_counts_with_its_last_epoch(begin: BeginTrial) -> None:
    results = train(scored(begin, [[0.9, 0.8], [0.1, 0.2, 0.3]]), 3)
    assert column(results, "score") == pytest.approx([0.5, 0.5, 0.55])
    assert [result["done"] for result in results] == [False, False, True]


def test_the_trial_ends_when_all_have_ended(begin: BeginTrial) -> None:
    results = train(scored(begin, [[0.9, 0.8], [0.1]]), 9)
    assert [result["done"] for result in results] == [False, True]


@pytest.mark.parametrize("worst", [NAN, INF])
def test_one_that_diverges_ends_the_trial(begin: BeginTrial, tmp_path: Path, worst: float) -> None:
    worker = scored(begin, [[0.1, 0.2, 0.3], [0.5, worst, 0.3]], is_loss=True, folder=str(tmp_path))
    results = train(worker, 9)
    assert [result["done"] for result in results] == [False, True]
    assert not math.isfinite(results[1]["metrics"]["score"])
    assert DiskCheckpoints(tmp_path / "0000").newest().state["best_epoch"] == 1


def test_one_without_a_value_leaves_the_mean_without_one_and_the_trial_goes_on(begin: BeginTrial) -> None:
    results = train(scored(begin, [[0.1, 0.2, 0.3], [NAN, 0.5, 0.3]]), 9)
    assert column(results, "score") == pytest.approx([NAN, 0.35, 0.3], nan_ok=True)
    assert [result["done"] for result in results] == [False, False, True]


def test_seconds_are_those_of_all_together() -> None:
    executions = Executions(Tiny.standalone(), {}, tiny_data(), TrialSettings(executions=3))
    seconds = executions.run_epoch().seconds
    assert seconds == pytest.approx(sum(training.last.seconds for training in executions.trainings))


# What is kept.


def test_the_best_weights_are_those_of_the_best_at_the_best_mean(begin: BeginTrial, tmp_path: Path) -> None:
    """The first execution has the best value of all, but not at the best epoch of the mean."""
    worker = scored(begin, [[1.0, 0.5, 0.1], [0.0, 0.7, 0.3]], folder=str(tmp_path), milestones=(1, 2, 3))
    train(worker, 2)
    expected = DiskCheckpoints(tmp_path / "0000").newest().group("executions/1/model")
    train(worker, 1)
    saved = DiskCheckpoints(tmp_path / "0000").newest()
    assert (saved.state["epoch"], saved.state["best_epoch"], saved.state["best_value"]) == (3, 2, 0.6)
    for found, trained in zip(saved.group("best"), expected, strict=True):
        np.testing.assert_array_equal(found, trained)
    model = keras.models.model_from_json((tmp_path / "0000" / ARCHITECTURE_FILE).read_text())
    model.set_weights(saved.group("best"))


def test_one_that_ended_itself_keeps_the_weights_that_count_until_the_trial_ends(
    begin: BeginTrial, tmp_path: Path
) -> None:
    """An EarlyStopping restores its best weights when it ends: not before the last epoch of all was compared."""
    stop = keras.callbacks.EarlyStopping("score", mode="max", patience=1, restore_best_weights=True, min_delta=5)
    worker = begin(
        ScoredExecutions,
        {"scores": [[0.3, 0.9, 0.9, 0.9], [0.1, 0.2, 0.3]], "callbacks": [stop]},
        executions=2,
        metric="score",
        max_epochs=3,
        folder=str(tmp_path),
        milestones=(2,),
    )
    results = train(worker, 2)
    saved = DiskCheckpoints(tmp_path / "0000").newest()
    for found, trained in zip(saved.group("best"), saved.group("executions/0/model"), strict=True):
        np.testing.assert_array_equal(found, trained)
    assert results[-1]["epoch"] == saved.state["best_epoch"] == 2


def test_without_an_objective_the_first_ones_last_weights_are_the_best(begin: BeginTrial, tmp_path: Path) -> None:
    train(begin(Tiny, executions=2, max_epochs=2, folder=str(tmp_path)), 2)
    saved = DiskCheckpoints(tmp_path / "0000").newest()
    assert saved.state["best_epoch"] == 2
    for best, last in zip(saved.group("best"), saved.group("executions/0/model"), strict=True):
        np.testing.assert_array_equal(best, last)


# What is survived.


class Eager(Everything):
    """A model that is not traced: that would take longer than all its epochs."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = super().build_model(config)
        model.run_eagerly = True
        return model


def test_an_interrupted_trial_goes_on_as_an_uninterrupted_one(begin: BeginTrial, tmp_path: Path) -> None:
    """With all that makes continuing hard."""
    settings = {"metric": "val_loss", "mode": "min", "executions": 2, "max_epochs": 4}
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = train(begin(Eager, {"patience": 3}, **settings, folder=str(tmp_path / "whole")), 4)
    first = begin(Eager, {"patience": 3}, **settings, folder=str(tmp_path / "parts"), milestones=(2,))
    before = train(first, 2)
    again = begin(Eager, {"patience": 3}, **settings, folder=str(tmp_path / "parts"))
    rest = train(again, 4)[1:]  # the epoch that was saved is reported once more
    for found, expected in zip([*before, *rest], whole, strict=True):
        np.testing.assert_equal(found["metrics"], expected["metrics"])
    saved, expected = (DiskCheckpoints(tmp_path / name / "0000").newest() for name in ("parts", "whole"))
    assert saved.state["best_epoch"] == expected.state["best_epoch"]
    assert saved.arrays.keys() == expected.arrays.keys()
    for name, array in expected.arrays.items():
        np.testing.assert_array_equal(saved.arrays[name], array, name)


def test_a_snapshot_that_does_not_fit_changes_nothing() -> None:
    settings = TrialSettings(metric="val_loss", mode="min", executions=2)
    first = Executions(Tiny.standalone(), {}, tiny_data(), settings)
    first.run_epoch()
    snapshot = first.snapshot()
    other = Executions(Tiny.standalone(), {}, tiny_data(), settings, trial=1)
    before = other.snapshot()
    torn = {name: array for name, array in snapshot.arrays.items() if name != "executions/1/model/0000"}
    others = [
        Snapshot(snapshot.state, torn),
        Snapshot({**snapshot.state, "executions": snapshot.state["executions"][:1]}, snapshot.arrays),
        Snapshot({**snapshot.state, "executions": 7}, snapshot.arrays),
        Training(Tiny.standalone(), {}, tiny_data(), settings).snapshot(),
    ]
    for wrong in others:
        with pytest.raises(CheckpointError):
            other.restore(wrong)
        after = other.snapshot()
        np.testing.assert_equal(dict(after.state), dict(before.state))
        for name, array in before.arrays.items():
            np.testing.assert_array_equal(after.arrays[name], array, name)
    other.restore(snapshot)
    assert other.epoch == 1


# Each for itself.


class Drawing(keras.layers.Layer):
    """Draws from every global generator that there is: Keras's, and TensorFlow's while it is traced."""

    def call(self, inputs: Any) -> Any:
        import tensorflow as tf

        return inputs + keras.random.normal((8,)) + tf.random.normal((8,))


class Draws(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["python"] = random.random()  # noqa: S311
        logs["numpy"] = np.random.random()  # noqa: NPY002


class UsingGlobals(Tiny):
    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dropout(0.5), Drawing()])
        model.add(keras.layers.Dense(3, activation="softmax"))
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy", keras.metrics.AUC()])
        return model

    def load_data(self) -> Data:
        x, y = blobs()
        return Data((x, np.eye(3)[y]), (x, np.eye(3)[y]))

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=[Draws()])


def test_what_comes_of_an_execution_does_not_depend_on_the_others() -> None:
    """Although its model, its metrics and its callbacks use what is global: names, seeds, generators."""
    worker, data = UsingGlobals.standalone(), UsingGlobals.standalone().load_data()
    settings = TrialSettings(metric="val_auc", executions=2)
    executions = Executions(worker, {}, data, settings, trial=3)
    together = []
    for _ in range(3):
        executions.run_epoch()
        together.append([training.last.metrics for training in executions.trainings])
    for execution in range(2):
        keras.backend.clear_session()
        alone = Training(worker, {}, data, settings, trial=3, execution=execution)
        assert [alone.train_epoch().metrics for _ in together] == [reports[execution] for reports in together]


def test_a_trials_own_seed_is_that_of_its_first_execution() -> None:
    seeds = [trial_seed(5, 3, execution) for execution in range(4)]
    assert seeds[0] == trial_seed(5, 3)
    assert len({*seeds, *(trial_seed(5, trial) for trial in range(20) if trial != 3)}) == 23


def test_executions_differ(begin: BeginTrial) -> None:
    result = begin(Tiny, executions=3, metric="val_loss", mode="min").step()
    assert result["metrics"]["val_loss_std"] > 0


def test_regression_is_trained_several_times_on_a_part(begin: BeginTrial) -> None:
    class Linear(Tiny):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
            model.compile("sgd", "mse", run_eagerly=True)
            return model

    x, _ = blobs(60)
    data = Data((x, x.sum(1)), (x, x.sum(1))).part(0.5)
    (result,) = train(begin(Linear, None, data, executions=2, metric="val_loss", mode="min", max_epochs=1), 1)
    assert result["metrics"]["val_loss_std"] >= 0
    assert statistics.mean([result["val_loss"]]) == result["metrics"]["val_loss"]
