"""A model that gathers its batches trains as one that is handed them: the same numbers to the last bit."""

import keras
import numpy as np
import pytest

from tests.support.tiny_trainables import Tiny, blobs, tiny_data
from tests.trainables.input.test_pipeline import aligned, read_only
from trainables import Data, FitOptions
from trainables.input.gathered_steps import GatheredInput, gathers
from trainables.input.pipeline import as_tensor


class Compiled(Tiny):
    """Dropout, batch normalisation and averaged weights; the last batch of 48 examples is smaller."""

    batch_size = 20

    def build_model(self, config):
        layers = [keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dropout(0.3)]
        model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(3, activation="softmax")])
        optimizer = keras.optimizers.Adam(0.05, use_ema=True)
        metrics = ["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2)]
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=metrics, **config.get("compile", {}))
        return model

    def fit_options(self, config):
        return FitOptions(**config.get("options", {}))


class TwoHeads(Compiled):
    """Several inputs and outputs, a metric that is no single number, and a loss that a layer adds."""

    def build_model(self, config):
        a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
        joined = keras.layers.Dense(3, kernel_regularizer="l2")(keras.layers.concatenate([a, b]))
        one = keras.layers.Dense(3, activation="softmax", name="one")(joined)
        two = keras.layers.Dense(1, name="two")(joined)
        model = keras.Model({"a": a, "b": b}, {"one": one, "two": two})
        model.compile(
            "adam",
            {"one": "categorical_crossentropy", "two": "mse"},
            metrics={"one": keras.metrics.F1Score(), "two": "mae"},
        )
        return model


def two_heads_data() -> Data:
    def split(examples, seed):
        x, y = blobs(examples, seed=seed)
        return {"a": x, "b": -x}, {"one": np.eye(3, dtype=np.float32)[y], "two": y.astype(np.float32)}

    return Data(train=split(48, 0), validation=split(24, 1))


def outcome(begin, trainable, config, data):
    metric = "val_loss" if data.validation else "loss"
    worker = begin(trainable, config, data, metric=metric, mode="min")
    results = [worker.step() for _ in range(3)]
    assert all(result["error"] is None for result in results), results
    return [result["metrics"] for result in results], worker._running().snapshot().arrays


def handed(monkeypatch):
    """From now on, batches come from an iterator."""
    for module in ("input.cache", "reuse.kept_models"):
        monkeypatch.setattr(f"trainables.{module}.gathers", lambda _: False)


@pytest.mark.parametrize(
    ("trainable", "config", "data"),
    [
        (Compiled, {}, tiny_data()),
        (Compiled, {"options": {"steps_per_execution": 2, "validation_batch_size": 10}}, tiny_data()),
        (Compiled, {"options": {"class_weight": {0: 2.0}, "sample_weight": np.linspace(0, 1, 48)}}, tiny_data()),
        (Compiled, {}, Data(train=blobs(48))),
        (TwoHeads, {}, two_heads_data()),
        pytest.param(
            Compiled,
            {"compile": {"jit_compile": True, "steps_per_execution": 3}},
            tiny_data(),
            marks=[pytest.mark.integration, pytest.mark.slow],  # XLA compiles for 10 s and more
        ),
    ],
    ids=["plain", "several spans", "weights", "no validation", "two heads", "XLA"],
)
def test_gathered_is_handed(begin, monkeypatch, trainable, config, data):
    metrics, arrays = outcome(begin, trainable, config, data)
    handed(monkeypatch)
    expected_metrics, expected_arrays = outcome(begin, trainable, config, data)
    assert metrics == expected_metrics
    assert arrays.keys() == expected_arrays.keys()
    for name, expected in expected_arrays.items():
        np.testing.assert_array_equal(arrays[name], expected, name)


class Counting(keras.callbacks.Callback):
    """Notes the numbers of the batches of which it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list = []

    def on_train_batch_begin(self, batch, logs=None) -> None:
        self.told.append((self.params["steps"], batch))

    def on_train_batch_end(self, batch, logs=None) -> None:
        self.told.append((batch, sorted(logs)))


def test_callbacks_are_told_of_the_same_batches(begin, monkeypatch):
    def told():
        counting = Counting()
        outcome(begin, Compiled, {"options": {"callbacks": [counting], "steps_per_execution": 2}}, tiny_data())
        return counting.told

    gathered = told()
    handed(monkeypatch)
    assert gathered == told() != []


class Scoring(keras.callbacks.Callback):
    """Has the model look at data of its own, and compiles its steps anew."""

    def __init__(self, anew: bool) -> None:
        super().__init__()
        self.anew, self.scores = anew, []

    def on_epoch_end(self, epoch, logs=None) -> None:
        x, y = blobs(30, seed=epoch + 5)
        before = [np.array(variable) for variable in self.model.variables]
        self.scores.append(self.model.evaluate(x, y, batch_size=7, verbose=0, return_dict=True))
        self.scores.append(self.model.test_on_batch(x, y, return_dict=True))
        for variable, value in zip(self.model.variables, before, strict=True):
            np.testing.assert_array_equal(np.array(variable), value)
        if self.anew:
            self.model.make_train_function(force=True)


@pytest.mark.parametrize("anew", [False, True])
def test_a_callback_may_use_the_model_for_data_of_its_own(begin, monkeypatch, anew):
    def scores():
        scoring = Scoring(anew)
        found = outcome(begin, Compiled, {"options": {"callbacks": [scoring]}}, tiny_data())[0]
        return found, scoring.scores

    gathered = scores()
    handed(monkeypatch)
    assert gathered == scores()
    assert len(gathered[1]) == 6


class OwnStep(keras.Sequential):
    def train_step(self, data):
        return super().train_step(data)


def test_a_step_that_is_not_kerass_own_is_handed_its_batches():
    def model(kind, **options):
        made = kind([keras.Input((4,)), keras.layers.Dense(1)])
        made.compile("sgd", "mse", **options)
        return made

    assert gathers(model(keras.Sequential))
    assert not gathers(model(OwnStep))
    assert not gathers(model(keras.Sequential, run_eagerly=True))
    patched = model(keras.Sequential)
    patched.train_step = lambda data: {}
    assert not gathers(patched)


# Counted, so that an overhead that comes back is noticed on any machine.


def test_the_arrays_are_not_copied_and_those_of_a_run_are_converted_once(begin):
    x, y = (aligned(array) for array in blobs(48))
    data = Data(train=(read_only(x), read_only(y)), validation=blobs(24))
    worker = begin(Compiled, {}, data)
    first = worker._running()._input.rows
    np.testing.assert_array_equal(first.arrays[0].numpy(), x)
    x += 100  # what reads the same memory sees this; what copied it does not
    np.testing.assert_array_equal(first.arrays[0].numpy(), x)
    worker.reset_config({"batch_size": 7})
    second = worker._running()._input.rows
    assert all(one is other for one, other in zip(first.arrays, second.arrays, strict=True))


def test_an_epoch_orders_the_rows_and_nothing_else():
    used = GatheredInput(blobs(10), 4, 0, as_tensor, steps_per_execution=2)
    spans, arrays = used.for_epoch(0), used.rows.arrays
    assert [(int(begin), int(end)) for begin, end in spans.take(2)] == [(0, 2), (2, 3)]
    orders = [used.for_epoch(epoch) and used.rows.order.numpy().tolist() for epoch in (0, 1, 0)]
    assert orders[0] == orders[2] != orders[1]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert used.rows.arrays is arrays
