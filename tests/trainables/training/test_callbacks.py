"""Callbacks live as long as their trial, and what they remember survives a checkpoint."""

from __future__ import annotations

import collections
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.support.tiny_trainables import Script, Scripted, Tiny, blobs
from trainables import Data, FitOptions, TrialSettings
from trainables.storage import checkpoint
from trainables.storage.checkpoint import DiskCheckpoints, Snapshot
from trainables.training.callbacks import TrialCallbacks

Point = collections.namedtuple("Point", "x y")


class Recorder(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.events.append("begin")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.events.append(f"epoch {epoch}")

    def on_train_end(self, logs: Any = None) -> None:
        self.events.append("end")


class Memory(keras.callbacks.Callback):
    """Remembers whatever it is given."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__()
        vars(self).update(attributes)


class Recorded(Tiny):
    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=[config["recorder"]])


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return Tiny.standalone().build_model({})


def trial_callbacks(model: keras.Model, *callbacks: Any) -> TrialCallbacks:
    return TrialCallbacks(callbacks, model, epochs=3, steps=1)


def through_the_disk(callbacks: TrialCallbacks, directory: Path) -> Snapshot:
    states, arrays = callbacks.state()
    checkpoint.write(directory, Snapshot({"callbacks": states}, arrays))
    return checkpoint.read(directory)


def restore(callbacks: TrialCallbacks, snapshot: Snapshot) -> None:
    callbacks.restore(snapshot.state["callbacks"], snapshot.arrays)


# Once a trial.


def test_a_trial_begins_and_ends_once() -> None:
    recorder = Recorder()
    worker = Recorded.standalone({"recorder": recorder}, settings=TrialSettings(max_epochs=2))
    assert [worker.step()["done"], worker.step()["done"]] == [False, True]
    worker.cleanup()
    assert recorder.events == ["begin", "epoch 0", "epoch 1", "end"]


def test_a_trial_that_a_scheduler_stops_ends_too() -> None:
    first, second = Recorder(), Recorder()
    worker = Recorded.standalone({"recorder": first})
    worker.step()
    worker.reset_config({"recorder": second})
    assert first.events == ["begin", "epoch 0", "end"]
    assert second.events == []
    worker.step()
    worker.cleanup()
    assert second.events == ["begin", "epoch 0", "end"]


def test_what_a_callback_adds_to_the_logs_is_reported() -> None:
    worker = Scripted.standalone({"scores": [0.25]}, settings=TrialSettings(metric="score"))
    result = worker.step()
    worker.cleanup()
    assert result["metrics"]["score"] == 0.25
    assert result["score"] == 0.25


def test_a_metric_that_is_an_array_of_one_number_is_a_number() -> None:
    class F1(Tiny):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
            model.compile("sgd", "mse", metrics=[keras.metrics.F1Score(threshold=0.5)], run_eagerly=True)
            return model

        def load_data(self) -> Data:
            x, y = blobs()
            return Data(train=(x, (y[:, None] > 0).astype("float32")))

    assert isinstance(F1.standalone({}).step()["metrics"]["f1_score"], float)


def test_early_stopping_ends_the_trial_with_its_best_weights(tmp_path: Path) -> None:
    stopping = keras.callbacks.EarlyStopping("score", mode="max", patience=2, restore_best_weights=True)
    settings = TrialSettings(metric="score", folder=str(tmp_path))
    worker = Scripted.standalone({"scores": [1, 3, 2, 2, 9], "callbacks": [stopping]}, settings=settings)
    assert [worker.step()["done"] for _ in range(4)] == [False, False, False, True]
    worker.cleanup()
    last = DiskCheckpoints(tmp_path / "0000").newest()
    assert last.state["best_epoch"] == 2
    for weight, best in zip(last.group("model"), last.group("best"), strict=True):
        np.testing.assert_array_equal(weight, best)


def test_ending_twice_ends_once(model: keras.Model) -> None:
    recorder = Recorder()
    callbacks = trial_callbacks(model, recorder)
    callbacks.end()
    callbacks.end()
    assert recorder.events == ["begin", "end"]


# What they remember.


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -7,
        2**70,
        0.1,
        float("inf"),
        float("-inf"),
        float("nan"),
        "größer\n\ud800",
        [],
        (),
        {},
        [1, (2.5, [None, ()]), {"a": (1,)}],
        {"": 1, "a/b": {"c": [2]}, "a": {"b/c": [3]}},
        {0: 0.5, 1.5: "x", None: [], True: 2},
        {"array": "no reference"},
        np.arange(6.0).reshape(2, 3),
        np.array([], np.int8),
        np.array("text"),
        np.array([1 + 2j]),
        [np.array([1]), (np.array([2]), {"k": np.array([3])})],
        np.float32(0.1),
        np.int64(3),
        np.bool_(True),
        np.datetime64("2020-01-01"),
        {"a": {1, 2}, "b": frozenset("c")},
        collections.deque([1, (2,)], maxlen=3),
        [collections.Counter("aab"), collections.OrderedDict(b=1, a=2)],
    ],
    ids=repr,
)
def test_a_plain_value_comes_back_as_it_was(model: keras.Model, value: Any, tmp_path: Path) -> None:
    fresh = Memory(value="fresh")
    snapshot = through_the_disk(trial_callbacks(model, Memory(value=value)), tmp_path)
    restore(trial_callbacks(model, fresh), snapshot)
    assert type(fresh.value) is type(value)
    np.testing.assert_equal(fresh.value, value)
    assert getattr(fresh.value, "dtype", None) == getattr(value, "dtype", None)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        print,
        Point(1, 2),
        iter([1, 2]),
        np.array([object()]),
        [1, object()],
        {"a": {Point(1, 2)}},
        {(1, 2): 3},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_plain_is_left_alone(model: keras.Model, value: Any, tmp_path: Path) -> None:
    fresh = Memory(value="fresh", other=0)
    snapshot = through_the_disk(trial_callbacks(model, Memory(value=value, other=1)), tmp_path)
    restore(trial_callbacks(model, fresh), snapshot)
    assert (fresh.value, fresh.other) == ("fresh", 1)


def test_the_model_stays_the_new_one(model: keras.Model, tmp_path: Path) -> None:
    fresh = Memory()
    snapshot = through_the_disk(trial_callbacks(model, Memory()), tmp_path)
    restore(trial_callbacks(model, fresh), snapshot)
    assert fresh.model is model


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_restored_monitor_keeps_its_direction_and_its_tolerance(
    model: keras.Model, mode: str, tmp_path: Path
) -> None:
    def stopping() -> keras.callbacks.EarlyStopping:
        return keras.callbacks.EarlyStopping("loss", mode=mode, min_delta=0.5, patience=10)

    sign = -1 if mode == "min" else 1
    before = trial_callbacks(model, stopping())
    before.on_epoch_end(0, {"loss": 3.0})
    after = trial_callbacks(model, fresh := stopping())
    restore(after, through_the_disk(before, tmp_path))
    after.on_epoch_end(1, {"loss": 3.0 + sign * 0.4})
    assert (fresh.wait, fresh.best) == (1, 3.0), "an improvement below min_delta counted"
    after.on_epoch_end(2, {"loss": 3.0 + sign * 0.6})
    assert (fresh.wait, fresh.best) == (0, 3.0 + sign * 0.6), "an improvement above min_delta did not count"


@pytest.mark.parametrize("others", [(), (Memory(), Memory()), (Script([]),)], ids=["fewer", "more", "another class"])
def test_other_callbacks_than_those_saved_are_refused_unchanged(model: keras.Model, others: tuple[Any, ...]) -> None:
    states, arrays = trial_callbacks(model, Memory(value=1)).state()
    with pytest.raises(ValueError, match="The callbacks were Memory, "):
        trial_callbacks(model, *others).restore(states, arrays)
    assert all(not hasattr(other, "value") for other in others)
