"""A model that gathers its batches trains as one that is handed them: the same numbers to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest

from tests.support.outcomes import BeginTrial, assert_same, train_trial
from tests.support.tiny_trainables import Tiny, blobs, tiny_data
from trainables import Data, FitOptions
from trainables.input.gathered_steps import GatheredInput, can_gather
from trainables.input.tensors import as_tensor
from trainables.reuse import input_cache, worker_cache


class Compiled(Tiny):
    """Dropout, batch normalisation and averaged weights; the last batch of 48 examples is smaller."""

    batch_size = 20

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        layers = [keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dropout(0.3)]
        model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(3, activation="softmax")])
        optimizer = keras.optimizers.Adam(0.05, use_ema=True)
        metrics = ["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2)]
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=metrics, **config.get("compile", {}))
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(**config.get("options", {}))


class TwoHeads(Compiled):
    """Several inputs and outputs, a metric that is no single number, and a loss that a layer adds."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
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
    def split(examples: int, seed: int) -> tuple[Any, Any]:
        x, y = blobs(examples, seed=seed)
        return {"a": x, "b": -x}, {"one": np.eye(3, dtype=np.float32)[y], "two": y.astype(np.float32)}

    return Data(train=split(48, 0), validation=split(24, 1))


def hand_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, let models read batches from an iterator, as Keras has it."""
    for module in (worker_cache, input_cache):
        monkeypatch.setattr(module, "can_gather", lambda _: False)


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
def test_gathered_batches_train_as_batches_that_are_handed_over(
    begin: BeginTrial, monkeypatch: pytest.MonkeyPatch, trainable: type[Tiny], config: dict[str, Any], data: Data
) -> None:
    gathered = train_trial(begin, trainable, config, data)
    hand_over(monkeypatch)
    assert_same(gathered, train_trial(begin, trainable, config, data))


class BatchNoter(keras.callbacks.Callback):
    """Notes the batches that it is called for."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[int, Any]] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.calls.append((self.params["steps"], batch))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.calls.append((batch, sorted(logs)))


def test_callbacks_are_called_for_the_same_batches(begin: BeginTrial, monkeypatch: pytest.MonkeyPatch) -> None:
    def calls() -> list[tuple[int, Any]]:
        noter = BatchNoter()
        train_trial(begin, Compiled, {"options": {"callbacks": [noter], "steps_per_execution": 2}}, tiny_data())
        return noter.calls

    gathered = calls()
    hand_over(monkeypatch)
    assert gathered == calls() != []


class Scoring(keras.callbacks.Callback):
    """Evaluates the model on data of its own, and compiles its steps anew."""

    def __init__(self, anew: bool) -> None:
        super().__init__()
        self.anew = anew
        self.scores: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        x, y = blobs(30, seed=epoch + 5)
        before = [np.array(variable) for variable in self.model.variables]
        self.scores.append(self.model.evaluate(x, y, batch_size=7, verbose=0, return_dict=True))
        self.scores.append(self.model.test_on_batch(x, y, return_dict=True))
        for variable, value in zip(self.model.variables, before, strict=True):
            np.testing.assert_array_equal(np.array(variable), value)
        if self.anew:
            self.model.make_train_function(force=True)


@pytest.mark.parametrize("anew", [False, True])
def test_a_callback_may_use_the_model_for_data_of_its_own(
    begin: BeginTrial, monkeypatch: pytest.MonkeyPatch, anew: bool
) -> None:
    def scores() -> tuple[list[Mapping[str, float]], list[dict[str, float]]]:
        scoring = Scoring(anew)
        outcome = train_trial(begin, Compiled, {"options": {"callbacks": [scoring]}}, tiny_data())
        return outcome.metrics, scoring.scores

    gathered = scores()
    hand_over(monkeypatch)
    assert gathered == scores()
    assert len(gathered[1]) == 6


class OwnStep(keras.Sequential):
    def train_step(self, data: Any) -> Any:
        return super().train_step(data)


def test_a_step_that_is_not_kerass_own_is_handed_its_batches() -> None:
    def model(kind: type[keras.Model], **options: Any) -> keras.Model:
        made = kind([keras.Input((4,)), keras.layers.Dense(1)])
        made.compile("sgd", "mse", **options)
        return made

    assert can_gather(model(keras.Sequential))
    assert not can_gather(model(OwnStep))
    assert not can_gather(model(keras.Sequential, run_eagerly=True))
    patched = model(keras.Sequential)
    patched.train_step = lambda data: {}
    assert not can_gather(patched)


# Counted, so that an overhead that comes back is noticed on any machine.


def test_a_worker_converts_its_arrays_once(begin: BeginTrial, monkeypatch: pytest.MonkeyPatch) -> None:
    converted = []
    monkeypatch.setattr(input_cache, "as_tensor", lambda array: converted.append(array) or as_tensor(array))
    data = tiny_data()
    worker = begin(Compiled, {}, data)
    for batch_size in (20, 7):
        worker.reset_config({"batch_size": batch_size})
        assert worker.step()["error"] is None
    assert [id(array) for array in converted] == [id(array) for array in (*data.train, *data.validation)]


def test_an_epoch_orders_the_rows_and_nothing_else() -> None:
    used = GatheredInput(blobs(10), 4, 0, as_tensor, steps_per_execution=2)
    spans, arrays = used.for_epoch(0), used.rows.arrays
    assert [(int(start), int(stop)) for start, stop in spans.take(2)] == [(0, 2), (2, 3)]
    orders = [used.for_epoch(epoch) and used.rows.order.numpy().tolist() for epoch in (0, 1, 0)]
    assert orders[0] == orders[2] != orders[1]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert used.rows.arrays is arrays
