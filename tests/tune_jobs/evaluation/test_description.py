"""A model that Keras cannot describe truly is refused before anything is trained or written."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from trainables.storage.architecture import architecture, is_described_by_defaults
from tune_jobs.errors import RequestError
from tune_jobs.evaluation.description import check_description

EXAMPLE = (np.zeros((1, 4), np.float32), np.zeros(1))


class Open(keras.Model):  # type: ignore[misc]  # Keras has no types
    def __init__(self, activation: str = "relu", **options: Any) -> None:
        super().__init__(**options)
        self.dense = keras.layers.Dense(3, activation)

    def call(self, x: Any) -> Any:
        return self.dense(x)


class Closed(Open):
    def __init__(self) -> None:
        super().__init__()


class Described(Open):
    def get_config(self) -> dict[str, Any]:
        return {"activation": keras.activations.serialize(self.dense.activation)}


class Counting(keras.layers.Layer):  # type: ignore[misc]
    def build(self, shape: Any) -> None:
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x: Any) -> Any:
        self.calls.assign_add(1.0)
        return x


def built(model: Any) -> Any:
    model(EXAMPLE[0])
    return model


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (lambda: Open("tanh"), "predicts other numbers: Keras describes a subclass of keras.Model by the defaults"),
        (Closed, "cannot build the model again"),
    ],
)
def test_a_description_that_is_not_true_is_refused_with_its_remedy(model: Any, problem: str) -> None:
    with pytest.raises(RequestError, match=problem) as refusal:
        check_description(built(model()), EXAMPLE)
    assert "get_config()" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("model", [Open, lambda: Described("tanh")])
def test_a_description_that_is_true_passes(model: Any) -> None:
    check_description(built(model()), EXAMPLE)


def test_the_comparison_leaves_no_trace_in_the_model() -> None:
    model = keras.Sequential([keras.Input((4,)), Counting(), keras.layers.Dense(2)])
    before = [np.array(variable) for variable in model.variables]
    check_description(model, EXAMPLE)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_only_a_true_description_is_written_beside_the_checkpoints() -> None:
    assert architecture(built(Open("tanh"))) is None
    assert architecture(built(Described("tanh"))) is not None
    assert architecture(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])) is not None


def test_a_functional_model_of_a_class_of_its_own_is_described_by_its_graph() -> None:
    class WithStep(keras.Model):  # type: ignore[misc]
        pass

    inputs = keras.Input((4,))
    assert not is_described_by_defaults(WithStep(inputs, keras.layers.Dense(2)(inputs)))
    assert is_described_by_defaults(built(Open()))
    assert not is_described_by_defaults(built(Closed()))
