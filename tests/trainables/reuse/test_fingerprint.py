"""Models that are traced alike have equal fingerprints; models whose traces cannot be told have none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import with_examples
from tests.support.traced import Traced, built_model
from trainables.internals.global_state import forget_names
from trainables.reuse.fingerprint import OpaqueModelError, fingerprint
from trainables.reuse.worker_cache import TrialModel

CONFIGS = st.fixed_dictionaries(
    {
        "units": st.integers(1, 2),
        "activation": st.sampled_from(["relu", "tanh"]),
        "dropout": st.sampled_from([0.1, 0.5]),
        "optimizer": st.sampled_from(["SGD", "Adam"]),
        "options": st.sampled_from([{}, {"clipnorm": 1.0}, {"clipnorm": 2.0}, {"weight_decay": 0.1}]),
        "rate": st.floats(0.001, 1),
    }
)


@with_examples(25)
@given(CONFIGS, CONFIGS, st.booleans())
def test_models_are_traced_alike_if_they_differ_in_seed_and_rate_only(
    config: dict[str, Any], other: dict[str, Any], alike: bool
) -> None:
    other = {**config, "rate": other["rate"]} if alike else other
    is_same = all(config[name] == other[name] for name in config if name != "rate")
    assert built_model(config, 1).is_traced_like(built_model(other, 2)) == is_same


def test_a_schedule_is_part_of_the_trace() -> None:
    def scheduled(rate: float) -> list[Any]:
        forget_names()
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(rate, 2, 0.5)), "mse")
        return fingerprint(model).features

    assert scheduled(0.1) == scheduled(0.1) != scheduled(0.2)


def test_an_adapted_layer_is_told_from_one_that_learnt_something_else() -> None:
    def normalised(mean: float) -> list[Any]:
        forget_names()
        layer = keras.layers.Normalization()
        layer.adapt(np.array([[mean], [mean + 2]], np.float32))
        model = keras.Sequential([keras.Input((1,)), layer, keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return fingerprint(model).features

    assert normalised(1) == normalised(1) != normalised(3)


# Models that are never reused.


def scaled(x: Any) -> Any:
    return x * 2


class Own(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs


def foreign_models() -> Iterator[tuple[str, keras.Model]]:
    def model(*layers: keras.layers.Layer, loss: Any = "mse", **options: Any) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1)])
        model.compile(options.pop("optimizer", "sgd"), loss, **options)
        return model

    def renamed(x: Any) -> Any:
        return x

    renamed.__name__ = "relu"  # Keras would describe it as its own
    patched = model()
    patched.layers[0].call = lambda inputs: inputs
    yield "activation", model(keras.layers.Dense(2, scaled))
    yield "activation with another's name", model(keras.layers.Dense(2, renamed))
    yield "lambda", model(keras.layers.Lambda(lambda x: x))
    yield "layer", model(Own())
    yield "loss", model(loss=lambda y, p: keras.ops.mean(y - p))
    yield "metric", model(metrics=[lambda y, p: keras.ops.mean(y - p)])
    yield "rate", model(optimizer=keras.optimizers.SGD(lambda: 0.1))
    yield "patched", patched


@pytest.mark.parametrize("index", range(8))
def test_code_that_is_not_kerass_own_is_never_reused(index: int) -> None:
    name, model = list(foreign_models())[index]
    with pytest.raises(OpaqueModelError):
        fingerprint(model)
    assert TrialModel(model, "").fingerprint is None, name


@pytest.mark.parametrize("method", ["make_train_function", "make_test_function"])
def test_a_model_with_a_loop_of_the_users_own_is_never_reused(method: str) -> None:
    model = Traced.standalone().build_model({})
    setattr(model, method, lambda force=False: None)
    assert TrialModel(model, "").fingerprint is None
