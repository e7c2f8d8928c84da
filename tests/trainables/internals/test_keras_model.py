"""The private attributes of Keras's models are what they are taken for; without them models are traced more often."""

from __future__ import annotations

from typing import Any

import keras
import pytest

from tests.support.outcomes import BeginTrial, Outcome, assert_same, outcome_of, train_trial
from tests.support.tiny_trainables import Tiny, blobs, tiny_data
from tests.support.traced import Traced, Traces
from trainables.internals import keras_model
from trainables.internals.keras_model import compile_marker, is_bookkeeping, unbuilt_parts
from trainables.reuse.fingerprint import fingerprint
from trainables.settings import TRIAL_KEY
from trainables.training.model import create_variables


def trained_twice(begin: BeginTrial) -> list[Outcome]:
    """Train two trials of one worker whose models differ in their learning rate only."""
    worker = begin(Traced, {"rate": 0.1}, tiny_data(), metric="val_loss", mode="min")
    first = outcome_of(worker, 2)
    worker.reset_config({"rate": 0.01, TRIAL_KEY: 1})
    return [first, outcome_of(worker, 2)]


# The parts that make metrics.


def test_metrics_are_made_by_two_parts_that_can_be_built_beforehand() -> None:
    model = Traced.standalone().build_model({})
    assert len(unbuilt_parts(model)) == 2
    create_variables(model, tiny_data().train)
    assert unbuilt_parts(model) == []
    assert "accuracy" in model.get_metrics_result()


def test_without_them_the_first_step_is_traced_twice(
    begin: BeginTrial, traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = trained_twice(begin)
    assert traces.train == 1
    monkeypatch.setattr(keras_model, "_COMPILED_PARTS", ("_gone", "_gone_too"))
    for found, other in zip(trained_twice(begin), expected, strict=True):
        assert_same(found, other)
    assert traces.train == 1 + 2 * 2


# What tells nothing of traces.


def trained_model() -> keras.Model:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile(keras.optimizers.AdamW(0.1), "mse")
    x, _ = blobs(8)
    model.fit(x, x[:, :3], verbose=0)
    return model


def bookkeeping_of(model: keras.Model) -> dict[str, Any]:
    parts = fingerprint(model).objects
    return {name: value for part in parts for name, value in vars(part).items() if is_bookkeeping(name, value)}


def test_keras_keeps_its_books_under_these_names() -> None:
    model = trained_model()
    during_a_fit = Noting()
    x, _ = blobs(8)
    model.fit(x, x[:, :3], verbose=0, callbacks=[during_a_fit])
    assert keras_model._BOOKKEEPING.keys() <= bookkeeping_of(model).keys() | during_a_fit.names
    assert any(name.startswith("_self_") for name in bookkeeping_of(model))


class Noting(keras.callbacks.Callback):
    """Notes the books of a model when an epoch begins."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.names |= bookkeeping_of(self.model).keys()


def test_a_value_of_another_kind_is_compared() -> None:
    model = Traced.standalone().build_model({})
    before = fingerprint(model).features
    model.layers[0]._called = not model.layers[0]._called
    assert fingerprint(model).features == before
    model.layers[0]._called = "by name"
    assert fingerprint(model).features != before


def test_without_these_names_every_model_is_traced(
    begin: BeginTrial, traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = trained_twice(begin)
    assert traces.train == 1
    monkeypatch.setattr(keras_model, "_BOOKKEEPING", {})
    for found, other in zip(trained_twice(begin), expected, strict=True):
        assert_same(found, other)
    assert traces.train == 1 + 2


# The end of a fit.


class Averaging(Tiny):
    """An optimizer that replaces the weights by their average at the end of a fit."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = super().build_model(config)
        optimizer = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5)
        model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=True)
        return model


def test_averages_replace_the_weights_at_the_end_of_a_fit_by_this_method() -> None:
    """What `test_epoch_by_epoch_comes_to_the_same_as_one_fit` relies on."""
    postponed, plain = (Averaging.standalone().build_model({}) for _ in range(2))
    plain.set_weights(postponed.get_weights())
    finalize = keras_model.postpone_finalization(postponed.optimizer)
    assert keras_model.has_own_finalization(postponed.optimizer)
    for model in (postponed, plain):
        model.fit(*tiny_data().train, shuffle=False, verbose=0)
    assert postponed.get_weights()[0].tolist() != plain.get_weights()[0].tolist()
    finalize(postponed.trainable_weights)
    assert postponed.get_weights()[0].tolist() == plain.get_weights()[0].tolist()
    keras_model.end_postponement(postponed.optimizer)
    assert not keras_model.has_own_finalization(postponed.optimizer)


def test_without_this_method_trials_are_trained(begin: BeginTrial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras_model, "_FINALIZATION", "gone")
    assert len(train_trial(begin, Averaging, {}, tiny_data(), epochs=2, max_epochs=2).metrics) == 2


def test_each_compile_makes_another_marker() -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    markers = []
    for _ in range(2):
        model.compile("sgd", "mse")
        markers.append(compile_marker(model))
    assert None not in markers
    assert markers[0] is not markers[1]
    assert compile_marker(object()) is None  # then a new optimizer alone is noticed
