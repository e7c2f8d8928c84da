"""State of a user's own beside the weights: in callbacks, objects, closures, global generators. Kept, or told."""

from __future__ import annotations

import collections
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.tiny_trainables import Tiny, blobs
from trainables import Data, FitOptions, TrialSettings
from trainables.storage import checkpoint
from trainables.training.training import Training

EPOCHS, CUT = 3, 1


class Kept(Tiny):
    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = config["network"]() if "network" in config else super().build_model(config)
        rate = config["rate"]() if "rate" in config else 0.1
        loss = config["loss"]() if "loss" in config else "sparse_categorical_crossentropy"
        model.compile(keras.optimizers.SGD(rate), loss, run_eagerly=config.get("eager", True))
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=config["callbacks"]() if "callbacks" in config else [])


def begin(config: dict[str, Any]) -> Training:
    return Training(Kept.standalone(), config, Data(train=blobs(16)), TrialSettings("loss", "min", max_epochs=EPOCHS))


def train(training: Training, epochs: int) -> list[dict[str, float]]:
    return [dict(training.run_epoch().metrics) for _ in range(epochs)]


def assert_continued(config: dict[str, Any], folder: Path) -> None:
    whole = begin(config)
    train(whole, CUT)
    assert whole.unsaved == []
    checkpoint.write(folder, whole.snapshot())
    metrics = train(whole, EPOCHS - CUT)
    second = begin(config)
    second.restore(checkpoint.read(folder))
    assert train(second, EPOCHS - CUT) == metrics
    for one, other in zip(second.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


class Remembers(keras.callbacks.Callback):
    """Sets the learning rate by what it remembers."""

    def __init__(self, kept: Any, change: Callable[[Any], Any], read: Callable[[Any], float]) -> None:
        super().__init__()
        self.kept, self.change, self.read = kept, change, read

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        changed = self.change(self.kept)
        self.kept = self.kept if changed is None else changed
        self.model.optimizer.learning_rate = 0.2 / (1 + self.read(self.kept))


class Plateau:
    def __init__(self) -> None:
        self.waited, self.losses = 0, {"last": [np.float32(1)]}

    def wait(self) -> None:
        self.waited += 1


class Slotted(keras.callbacks.Callback):
    __slots__ = ("seen",)

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seen += 1
        self.model.optimizer.learning_rate = 0.2 / self.seen


class Shadow(keras.callbacks.Callback):
    """Averages the weights in a second model, which replace those of the first in the last epoch but one."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.shadow = keras.models.clone_model(self.model)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        pairs = zip(self.shadow.get_weights(), self.model.get_weights(), strict=True)
        self.shadow.set_weights([0.5 * one + 0.5 * other for one, other in pairs])
        if epoch == EPOCHS - 2:
            self.model.set_weights(self.shadow.get_weights())


def remembers(make: Callable[[], Any], change: Callable[[Any], Any], read: Any = len) -> Callable[[], list[Any]]:
    return lambda: [Remembers(make(), change, read)]


def count_up(kept: dict[str, int]) -> None:
    kept["seen"] = kept["seen"] + 1 if kept else 1


def add_one(kept: Any) -> None:
    kept.assign_add(1.0)


CALLBACKS: dict[str, Callable[[], list[Any]]] = {
    "deque": remembers(lambda: collections.deque(maxlen=3), lambda kept: kept.append(1)),
    "set": remembers(set, lambda kept: kept.add(len(kept))),
    "counter": remembers(collections.Counter, lambda kept: kept.update("a"), lambda kept: kept["a"]),
    "default dict": remembers(lambda: collections.defaultdict(int), count_up, lambda kept: kept["seen"]),
    "ordered dict": remembers(collections.OrderedDict, count_up, lambda kept: kept["seen"]),
    "object": remembers(Plateau, Plateau.wait, lambda kept: kept.waited),
    "variable of Keras": remembers(lambda: keras.Variable(0.0), add_one, float),
    "variables in a list": remembers(
        lambda: [tf.Variable(0.0)], lambda kept: add_one(kept[0]), lambda kept: float(kept[0])
    ),
    "tensor": remembers(lambda: tf.constant(0.0), lambda kept: kept + 1, float),
    "slot": lambda: [Slotted()],
    "second model": lambda: [Shadow()],
}


@pytest.mark.parametrize("kind", CALLBACKS)
def test_what_a_callback_remembers_is_continued(kind: str, tmp_path: Path) -> None:
    assert_continued({"callbacks": CALLBACKS[kind]}, tmp_path)


class Bank:
    def __init__(self) -> None:
        self.mean = keras.Variable(np.zeros(4, "float32"), trainable=False)


class ModuleBank(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
    def __init__(self) -> None:
        super().__init__()
        self.mean = tf.Variable(tf.zeros(4))


class Normalizes(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Subtracts a mean that an object of the user's keeps."""

    def __init__(self, bank: Any) -> None:
        super().__init__()
        self.bank, self.dense = bank, keras.layers.Dense(3, "softmax")

    def call(self, x: Any, training: bool = False) -> Any:
        if training:
            self.bank.mean.assign(0.9 * self.bank.mean + 0.1 * keras.ops.mean(x, axis=0))
        return self.dense(x - 3.0 * self.bank.mean)


class Fading(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    def __init__(self) -> None:
        self.factor = keras.Variable(1.0, trainable=False)

    def __call__(self, step: Any) -> Any:
        self.factor.assign(self.factor * 0.9)
        return 0.1 * self.factor

    def get_config(self) -> dict[str, Any]:
        return {}


def fading_loss() -> Any:
    weight = keras.Variable(1.0, trainable=False)

    def loss(y: Any, prediction: Any) -> Any:
        weight.assign(weight * 0.9)
        return weight * keras.losses.sparse_categorical_crossentropy(y, prediction)

    return loss


MODELS: dict[str, dict[str, Any]] = {
    "object": {"network": lambda: Normalizes(Bank())},
    "module of TensorFlow": {"network": lambda: Normalizes(ModuleBank())},
    "schedule": {"rate": Fading},
    "closure of a loss": {"loss": fading_loss},
}


@pytest.mark.parametrize("kind", MODELS)
def test_variables_that_keras_does_not_track_are_continued(kind: str, tmp_path: Path) -> None:
    assert_continued(MODELS[kind], tmp_path)


class Noisy(keras.layers.Layer):  # type: ignore[misc]
    def __init__(self, draw: Callable[..., Any]) -> None:
        super().__init__()
        self.draw = draw

    def call(self, x: Any) -> Any:
        return x + 0.3 * self.draw((4,))


def noisy(draw: Callable[..., Any]) -> dict[str, Any]:
    return {"network": lambda: keras.Sequential([keras.Input((4,)), Noisy(draw), keras.layers.Dense(3, "softmax")])}


class Draws(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.optimizer.learning_rate = 0.1 * (random.random() + np.random.random())  # noqa: NPY002, S311


@pytest.mark.parametrize(
    "config",
    [{"callbacks": lambda: [Draws()]}, noisy(keras.random.normal), noisy(tf.random.normal)],
    ids=["python and numpy", "keras", "tensorflow"],
)
def test_the_global_generators_go_on(config: dict[str, Any], tmp_path: Path) -> None:
    assert_continued(config, tmp_path)


def test_random_operations_in_a_graph_are_told() -> None:
    for draw, told in ((tf.random.normal, 1), (keras.random.normal, 0)):
        training = begin({**noisy(draw), "eager": False})
        train(training, 1)
        assert len(training.unsaved) == told
    training = begin({**noisy(tf.random.normal), "eager": False})
    train(training, 1)
    (reason,) = training.unsaved
    assert reason.startswith("random operations of TensorFlow (tf.random.normal and the like) begin anew: keras.random")


def test_damaged_numbers_are_a_damaged_checkpoint() -> None:
    training = begin({"callbacks": lambda: [Draws()]})
    train(training, 1)
    snapshot = training.snapshot()
    damaged = checkpoint.Snapshot({**snapshot.state, "drawn": {"numpy": [1]}}, snapshot.arrays)
    with pytest.raises(checkpoint.CheckpointError, match="does not fit"):
        begin({"callbacks": lambda: [Draws()]}).restore(damaged)


# What cannot be kept.


class Counting(keras.layers.Layer):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.seen, self.queue, self.constant = 0, np.zeros(2), 5

    def call(self, x: Any) -> Any:
        self.seen += self.constant
        self.queue = self.queue + 1
        return x / (1 + self.seen)


class Tabular(keras.layers.Layer):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.table = tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, 0.0)

    def call(self, x: Any) -> Any:
        key = tf.constant([1], tf.int64)
        self.table.insert(key, self.table.lookup(key) + 1.0)
        return x


class Wrapped(keras.Model):  # type: ignore[misc]
    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.first, self.dense = layer, keras.layers.Dense(3, "softmax")

    def call(self, x: Any) -> Any:
        return self.dense(self.first(x))


class Steps(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.rates = iter([0.1, 0.2, 0.3, 0.4])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.optimizer.learning_rate = next(self.rates)


class Rises(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.first.rate = 0.1


def in_a_closure() -> list[Any]:
    seen = {"epochs": 0}

    def count(epoch: int, logs: Any) -> None:
        seen["epochs"] += 1

    return [keras.callbacks.LambdaCallback(on_epoch_end=count)]


UNSAVED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "numbers of a layer": ({"network": lambda: Wrapped(Counting())}, ["Counting.seen", "Counting.queue"]),
    "table": ({"network": lambda: Wrapped(Tabular())}, ["Tabular.table"]),
    "argument of a layer": (
        {"network": lambda: Wrapped(keras.layers.Dropout(0.5)), "callbacks": lambda: [Rises()]},
        ["Dropout.rate"],
    ),
    "iterator of a callback": ({"callbacks": lambda: [Steps()]}, ["Steps.rates"]),
    "closure": ({"callbacks": in_a_closure}, ["LambdaCallback.on_epoch_end.seen"]),
}


@pytest.mark.parametrize("kind", UNSAVED)
def test_what_only_python_knows_is_told_at_the_first_checkpoint(kind: str) -> None:
    config, names = UNSAVED[kind]
    training = begin(config)
    train(training, 1)
    assert [reason.split("`")[1] for reason in training.unsaved] == names
    assert all("is a value in Python that changes, and begins anew" in reason for reason in training.unsaved)


def test_what_tracing_leaves_behind_is_no_change() -> None:
    training = begin({"network": lambda: Wrapped(Counting()), "eager": False})
    train(training, 3)
    assert training.unsaved == []


class Harmless(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.trainable, self.function = blobs(16)[0], Kept(), lambda x: x

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.predict(self.inputs, verbose=0)


def test_what_does_not_change_is_not_told() -> None:
    training = begin({"callbacks": lambda: [Harmless(), keras.callbacks.EarlyStopping("loss")]})
    train(training, 2)
    assert training.unsaved == []


class Exchanges(keras.callbacks.Callback):
    """Assigns another optimizer, and compiles nothing."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == 0:
            self.model.optimizer = keras.optimizers.Adam(0.05)


def test_an_optimizer_that_a_callback_assigns_is_continued(tmp_path: Path) -> None:
    assert_continued({"callbacks": lambda: [Exchanges()]}, tmp_path)
