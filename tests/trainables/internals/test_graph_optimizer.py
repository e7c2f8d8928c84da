"""One pass of TensorFlow's optimiser leaves results as two do, and users' own options alone."""

from contextlib import nullcontext

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
from tensorflow.python.eager import context

from tests.support.tiny_trainables import Tiny, blobs
from trainables import Data, FitOptions
from trainables.internals.graph_optimizer import one_pass


def asked():
    options = context.context().function_call_options.config_proto_serialized
    return ConfigProto.FromString(options).graph_options.rewrite_options


@pytest.fixture
def folding_is_off(monkeypatch):
    """An option that a user set."""
    now = context.context()
    monkeypatch.setattr(now, "_optimizer_experimental_options", {**now._optimizer_experimental_options})
    tf.config.optimizer.set_experimental_options({"constant_folding": False})
    yield
    monkeypatch.undo()
    now.function_call_options = None  # made anew from the options


def test_one_pass_is_asked_for_within_and_users_options_stay(folding_is_off):
    with one_pass():
        assert asked().meta_optimizer_iterations == RewriterConfig.ONE
        assert asked().constant_folding == RewriterConfig.OFF
    assert asked().meta_optimizer_iterations == RewriterConfig.DEFAULT_NUM_ITERS
    assert asked().constant_folding == RewriterConfig.OFF


def test_without_the_private_name_all_goes_on(monkeypatch):
    assert asked().constant_folding == RewriterConfig.DEFAULT
    monkeypatch.delattr(context, "context")
    trained = []
    with one_pass():
        trained.append(1)
    assert trained


def test_two_passes_are_asked_for_again_after_an_error():
    with pytest.raises(ZeroDivisionError), one_pass():
        raise ZeroDivisionError
    assert asked().meta_optimizer_iterations == RewriterConfig.DEFAULT_NUM_ITERS


class Asking(keras.callbacks.Callback):
    """Notes how many passes are asked for when a step is run."""

    def __init__(self):
        super().__init__()
        self.passes = set()

    def on_train_batch_begin(self, batch, logs=None):
        self.passes.add(asked().meta_optimizer_iterations)

    def on_test_batch_begin(self, batch, logs=None):
        self.passes.add(asked().meta_optimizer_iterations)


class Convolving(Tiny):
    """What the optimiser fuses: convolutions, biases, activations, normalisation."""

    asking = Asking()

    def build_model(self, config):
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

    def fit_options(self, config):
        return FitOptions(callbacks=[self.asking])


def test_a_network_trains_to_the_same_bits(begin, monkeypatch):
    def split(examples, seed):
        x, y = blobs(examples, seed=seed)
        return np.tile(x, 4), y

    def outcome():
        Convolving.asking = Asking()
        worker = begin(Convolving, {}, Data(train=split(48, 0), validation=split(24, 1)), metric="val_loss", mode="min")
        metrics = [worker.step()["metrics"] for _ in range(2)]
        return Convolving.asking.passes, metrics, worker._running().snapshot().arrays

    passes, metrics, arrays = outcome()
    monkeypatch.setattr("trainables.training.training.one_pass", nullcontext)
    expected_passes, expected_metrics, expected_arrays = outcome()
    assert (passes, expected_passes) == ({RewriterConfig.ONE}, {RewriterConfig.DEFAULT_NUM_ITERS})
    assert metrics == expected_metrics
    for name, expected in expected_arrays.items():
        np.testing.assert_array_equal(arrays[name], expected, name)
