"""One pass of TensorFlow's optimizer leaves results as two do, and users' own options alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
from tensorflow.python.eager import context

from tests.support.outcomes import BeginTrial, Outcome, assert_same, train_trial
from tests.support.tiny_trainables import Tiny, blobs, tiny_data
from tests.support.traced import Traced
from trainables import Data, FitOptions
from trainables.internals.graph_optimizer import one_pass


def requested_options() -> Any:
    options = context.context().function_call_options.config_proto_serialized
    return ConfigProto.FromString(options).graph_options.rewrite_options


@pytest.fixture
def folding_is_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An option that a user set."""
    now = context.context()
    monkeypatch.setattr(now, "_optimizer_experimental_options", {**now._optimizer_experimental_options})
    tf.config.optimizer.set_experimental_options({"constant_folding": False})
    yield
    monkeypatch.undo()
    now.function_call_options = None  # made anew from the options


def test_one_pass_is_requested_within_and_users_options_stay(folding_is_off: None) -> None:
    with one_pass():
        assert requested_options().meta_optimizer_iterations == RewriterConfig.ONE
        assert requested_options().constant_folding == RewriterConfig.OFF
    assert requested_options().meta_optimizer_iterations == RewriterConfig.DEFAULT_NUM_ITERS
    assert requested_options().constant_folding == RewriterConfig.OFF


def test_without_the_private_name_trials_are_trained(begin: BeginTrial, monkeypatch: pytest.MonkeyPatch) -> None:
    assert requested_options().constant_folding == RewriterConfig.DEFAULT
    expected = train_trial(begin, Traced, {}, tiny_data(), epochs=2)
    monkeypatch.setattr("trainables.internals.graph_optimizer._CALL_OPTIONS", "gone")
    with one_pass():
        assert requested_options().meta_optimizer_iterations == RewriterConfig.DEFAULT_NUM_ITERS
    assert_same(train_trial(begin, Traced, {}, tiny_data(), epochs=2), expected)


def test_two_passes_are_requested_again_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), one_pass():
        raise ZeroDivisionError
    assert requested_options().meta_optimizer_iterations == RewriterConfig.DEFAULT_NUM_ITERS


class PassNoter(keras.callbacks.Callback):
    """Notes how many passes are requested when a step is run."""

    def __init__(self) -> None:
        super().__init__()
        self.passes: set[int] = set()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.passes.add(requested_options().meta_optimizer_iterations)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.passes.add(requested_options().meta_optimizer_iterations)


class Convolving(Tiny):
    """What the optimizer fuses: convolutions, biases, activations, normalisation."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        layers = keras.layers
        parts = [
            layers.Reshape((4, 4, 1)),
            layers.Conv2D(8, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Conv2D(8, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(3, activation="softmax"),
        ]
        model = keras.Sequential([keras.Input((16,)), *parts])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=[config["noter"]])


def test_a_network_trains_to_the_same_bits(begin: BeginTrial, monkeypatch: pytest.MonkeyPatch) -> None:
    def split(examples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        x, y = blobs(examples, seed=seed)
        return np.tile(x, 4), y

    def trained() -> tuple[set[int], Outcome]:
        noter = PassNoter()
        data = Data(train=split(48, 0), validation=split(24, 1))
        outcome = train_trial(begin, Convolving, {"noter": noter}, data, epochs=2)
        return noter.passes, outcome

    passes, outcome = trained()
    monkeypatch.setattr("trainables.training.training.one_pass", nullcontext)
    expected_passes, expected = trained()
    assert (passes, expected_passes) == ({RewriterConfig.ONE}, {RewriterConfig.DEFAULT_NUM_ITERS})
    assert_same(outcome, expected)
