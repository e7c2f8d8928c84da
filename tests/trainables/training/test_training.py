"""A trial through the interface that Ray Tune uses: what it reports, keeps and survives."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.support.outcomes import BeginTrial
from tests.support.tiny_trainables import Script, Scripted, Tiny, blobs, tiny_data, train
from trainables import Data, FitOptions
from trainables.settings import TRIAL_KEY
from trainables.storage.checkpoint import DiskCheckpoints

NAN, INF = float("nan"), float("inf")


# The best epoch.


@pytest.mark.parametrize(
    ("mode", "scores", "best"),
    [
        ("max", [1, 3, 2], 2),
        ("min", [2, 1, 3], 2),
        ("max", [2, 3, 3], 2),
        ("min", [1, 1, 1], 1),
        ("max", [-3, -1, -2], 2),
    ],
)
def test_the_best_epoch_is_the_earliest_of_the_best(
    begin: BeginTrial, tmp_path: Path, mode: str, scores: list[float], best: int
) -> None:
    worker = begin(
        Scripted,
        {"scores": scores},
        metric="score",
        mode=mode,
        max_epochs=3,
        folder=str(tmp_path),
        milestones=(1, 2, 3),
    )
    weights = []
    for _ in scores:
        worker.step()
        worker.wait_until_saved()
        weights.append(DiskCheckpoints(tmp_path / "0000").newest())
    last = weights[-1]
    assert (last.state["best_epoch"], last.state["best_value"]) == (best, scores[best - 1])
    for found, trained in zip(last.group("best"), weights[best - 1].group("model"), strict=True):
        np.testing.assert_array_equal(found, trained)


@pytest.mark.parametrize("worst", [NAN, INF, -INF])
def test_a_loss_that_is_no_number_ends_the_trial_and_its_epoch_is_never_the_best(
    begin: BeginTrial, tmp_path: Path, worst: float
) -> None:
    losses = Script([0.5, worst], name="loss")
    worker = begin(Scripted, {"scores": [0.5, 0.9], "callbacks": [losses]}, metric="score", folder=str(tmp_path))
    results = train(worker, 5)
    assert [result["done"] for result in results] == [False, True]
    np.testing.assert_equal(results[-1]["metrics"]["loss"], worst)
    saved = DiskCheckpoints(tmp_path / "0000").newest().state
    assert (saved["best_epoch"], saved["best_value"]) == (1, 0.5)


@pytest.mark.parametrize("worst", [NAN, INF, -INF])
def test_an_objective_that_is_no_number_beside_a_finite_loss_is_waited_for_and_is_never_the_best(
    begin: BeginTrial, tmp_path: Path, worst: float
) -> None:
    scores = [worst, 0.5, worst]
    worker = begin(Scripted, {"scores": scores}, metric="score", max_epochs=3, folder=str(tmp_path))
    results = train(worker, 5)
    assert [result["done"] for result in results] == [False, False, True]
    np.testing.assert_equal(results[-1]["metrics"]["score"], worst)
    saved = DiskCheckpoints(tmp_path / "0000").newest().state
    assert (saved["best_epoch"], saved["best_value"]) == (2, 0.5)


def test_a_trial_that_diverges_at_once_has_no_best_epoch(begin: BeginTrial, tmp_path: Path) -> None:
    losses = Script([NAN], name="loss")
    worker = begin(Scripted, {"scores": [NAN], "callbacks": [losses]}, metric="score", folder=str(tmp_path))
    assert worker.step()["done"]
    saved = DiskCheckpoints(tmp_path / "0000").newest()
    assert saved.state["best_epoch"] is None
    assert saved.group("best") == []


def test_without_an_objective_the_last_weights_are_the_best(begin: BeginTrial, tmp_path: Path) -> None:
    worker = begin(Tiny, max_epochs=2, folder=str(tmp_path))
    train(worker, 2)
    saved = DiskCheckpoints(tmp_path / "0000").newest()
    assert saved.state["best_epoch"] == 2
    for best, last in zip(saved.group("best"), saved.group("model"), strict=True):
        np.testing.assert_array_equal(best, last)


# Mistakes and failures.


class NoReturn(Tiny):
    def build_model(self, config: dict[str, Any]) -> None:
        super().build_model(config)


class NotCompiled(Tiny):
    def build_model(self, config: dict[str, Any]) -> keras.Model:
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])


class WrongWeights(Tiny):
    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(sample_weight=np.ones(5))


@pytest.mark.parametrize(
    ("trainable", "texts"),
    [
        (NoReturn, ["NoReturn.build_model returned a NoneType", "`return model`"]),
        (NotCompiled, ["NotCompiled.build_model returned is not compiled", "model.compile("]),
        (WrongWeights, ["must have one weight for each of the 48"]),
    ],
)
def test_a_mistake_is_reported_with_its_remedy(begin: BeginTrial, trainable: type[Tiny], texts: list[str]) -> None:
    worker = begin(trainable)
    for _ in range(2):  # and again, should it be asked again
        result = worker.step()
        assert result["done"]
        assert result.keys() == {"done", "mistake"}
        assert all(text in result["mistake"] for text in texts), result["mistake"]


def test_an_objective_that_the_model_does_not_report_is_a_mistake(begin: BeginTrial) -> None:
    result = begin(Tiny, metric="val_f1").step()
    assert "The objective `val_f1` is not among the metrics" in result["mistake"]
    assert "accuracy, loss, val_accuracy, val_loss" in result["mistake"]
    assert "no validation split" not in result["mistake"]


class ByClass(Tiny):
    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
        accuracy = keras.metrics.R2Score(class_aggregation=None, name="r2")
        model.compile("sgd", "mse", metrics=[accuracy], run_eagerly=True)
        return model

    def load_data(self) -> Data:
        x, y = blobs()
        return Data(train=(x, np.eye(3, dtype="float32")[y]), validation=(x, np.eye(3, dtype="float32")[y]))


def test_an_objective_that_is_an_array_is_told_as_one(begin: BeginTrial) -> None:
    result = begin(ByClass, data=ByClass().load_data(), metric="val_r2").step()
    assert (
        "`val_r2` is an array of shape (3,), but an objective or a constraint must be one number" in result["mistake"]
    )
    assert 'F1Score(average="macro")' in result["mistake"]


class Logs(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs |= {
            "tensor": keras.ops.convert_to_tensor(0.5),
            "variable": keras.Variable(0.25),
            "array": np.array([[2.0]]),
            "fraction": Fraction(1, 4),
            "decimal": Decimal("0.125"),
            "huge": 10**400,
            "text": "0.5",
            "two": np.zeros(2),
            "nothing": None,
        }


class Logging(Tiny):
    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=[Logs()])


def test_a_number_that_a_callback_logs_is_one_in_any_type(begin: BeginTrial) -> None:
    metrics = begin(Logging, metric="tensor").step()["metrics"]
    assert {name: value for name, value in metrics.items() if "loss" not in name and "accuracy" not in name} == {
        "tensor": 0.5,
        "variable": 0.25,
        "array": 2.0,
        "fraction": 0.25,
        "decimal": 0.125,
        "huge": INF,
    }
    assert "`text` is of type str, but an objective" in begin(Logging, metric="text").step()["mistake"]


def test_a_missing_validation_split_is_named(begin: BeginTrial) -> None:
    result = begin(Tiny, data=Data(train=blobs()), metric="val_loss").step()
    assert "no validation split" in result["mistake"]


class Fragile(Tiny):
    """Fails where its configuration says so."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        if config.get("fails") == "build":
            raise ArithmeticError("too\n  wide")
        return super().build_model(config)

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        callbacks = [Failing(config["fails"])] if config.get("fails") in ("epoch", "end") else []
        return FitOptions(callbacks=callbacks)


class Failing(keras.callbacks.Callback):
    def __init__(self, when: str) -> None:
        super().__init__()
        self.when = when

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.when == "epoch":
            raise ArithmeticError("too\n  wide")

    def on_train_end(self, logs: Any = None) -> None:
        if self.when == "end":
            raise ArithmeticError("too\n  wide")


@pytest.mark.parametrize("fails", ["build", "epoch", "end"])
def test_a_failure_is_a_result_and_the_worker_goes_on(begin: BeginTrial, fails: str) -> None:
    worker = begin(Fragile, {"fails": fails}, max_epochs=1)
    result = worker.step()
    assert result["done"]
    assert result["error"] == "ArithmeticError: too wide"
    assert result["traceback"].startswith("Traceback")
    assert "test_training.py" in result["traceback"]
    assert worker.reset_config({TRIAL_KEY: 1})
    assert worker.step()["epoch"] == 1


def test_a_failed_trial_leaves_no_checkpoint(begin: BeginTrial, tmp_path: Path) -> None:
    worker = begin(Fragile, {"fails": "epoch"}, folder=str(tmp_path))
    worker.step()
    worker.reset_config({TRIAL_KEY: 1})
    assert DiskCheckpoints(tmp_path / "0000").newest() is None


# How it is fitted.


class Counting(Tiny):
    """Reports how many calls and steps an epoch took."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = super().build_model(config)
        together = config.get("compiled_with", 1)
        model.compile("sgd", "sparse_categorical_crossentropy", steps_per_execution=together)
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=[Counts()], steps_per_execution=config.get("option"))


class Counts(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.calls = 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.calls += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["calls"] = self.calls
        logs["steps"] = int(self.model.optimizer.iterations)


@pytest.mark.parametrize(
    ("config", "calls", "steps"),
    [
        ({"batch_size": 1}, 2, 70),  # 64 steps, then the 6 that are left
        ({"batch_size": 32}, 1, 3),
        ({}, 1, 5),  # Tiny.batch_size is 16
        ({"batch_size": 10, "compiled_with": 3}, 3, 7),
        ({"batch_size": 10, "option": 1}, 7, 7),
        ({"batch_size": 10, "compiled_with": 3, "option": 2}, 4, 7),
    ],
)
def test_steps_are_executed_together_unless_the_user_says_how_many(
    begin: BeginTrial, config: dict[str, Any], calls: int, steps: int
) -> None:
    metrics = begin(Counting, config, data=Data(train=blobs(70))).step()["metrics"]
    assert (metrics["calls"], metrics["steps"]) == (calls, steps)


class Averaged(Tiny):
    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = super().build_model(config)
        optimizer = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5)
        model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=True)
        for variable, value in zip(model.variables, config["weights"], strict=True):
            variable.assign(value)
        return model


def test_epoch_by_epoch_comes_to_the_same_as_one_fit(begin: BeginTrial, tmp_path: Path) -> None:
    """Also for an optimizer that replaces the weights by their average at the end of a ``fit``."""
    generator = np.random.default_rng(0)
    config = {"weights": [generator.normal(size=(4, 3)), np.zeros(3)], "batch_size": 48}
    data = tiny_data(48)
    train(begin(Averaged, config, data, max_epochs=3, folder=str(tmp_path)), 3)
    plain = Averaged.standalone().build_model(config)
    plain.fit(*data.train, batch_size=48, epochs=3, shuffle=False, verbose=0)
    found = DiskCheckpoints(tmp_path / "0000").newest().group("model")
    for weight, expected in zip(found, plain.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-6)


class Subclassed(Tiny):
    """A model without an Input layer, which has no variables before it has seen data."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = PairModel()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


class PairModel(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(3, activation="softmax")

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs["x"])


def test_a_subclassed_model_with_named_inputs_is_trained_and_continued(begin: BeginTrial, tmp_path: Path) -> None:
    x, y = blobs()
    data = Data(train=({"x": x}, y), validation=({"x": x}, y))
    settings = {"metric": "val_accuracy", "folder": str(tmp_path), "milestones": (1,)}
    first = train(begin(Subclassed, None, data, **settings), 2)
    (again,) = train(begin(Subclassed, None, data, **settings), 1)
    assert [result["epoch"] for result in first] == [1, 2]
    assert (again["epoch"], again["metrics"]) == (1, first[0]["metrics"])


def test_a_trials_number_is_no_parameter_of_its_model(begin: BeginTrial) -> None:
    class Strict(Tiny):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            assert config == {"learning_rate": 0.5}
            return super().build_model(config)

    result = begin(Strict, {"learning_rate": 0.5, TRIAL_KEY: 3}).step()
    assert result["error"] is None
