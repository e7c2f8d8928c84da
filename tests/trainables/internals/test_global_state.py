"""Names and random numbers that are global are each training's own, and compiled functions stay compiled."""

from __future__ import annotations

import random
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.outcomes import BeginTrial, assert_same, train_trial
from tests.support.tiny_trainables import Tiny, blobs
from trainables import Data
from trainables.internals import global_state
from trainables.internals.global_state import (
    IsolatedGlobalState,
    forget_names,
    remember_global_state,
    remember_names,
    set_seed,
)

# The private names do what is relied on.


def global_draws() -> list[Any]:
    return [
        random.random(),  # noqa: S311
        np.random.random(),  # noqa: NPY002
        np.array(keras.random.normal((2,))).tolist(),
        tf.random.normal((2,)).numpy().tolist(),
        tf.random.uniform((2,), seed=3).numpy().tolist(),
    ]


@pytest.fixture
def unused_seed(monkeypatch: pytest.MonkeyPatch) -> int:
    """A seed that counts as one that this process has not used, although TensorFlow has been seeded before."""
    keras.utils.set_random_seed(1)
    monkeypatch.setattr(global_state, "_used_seeds", set())
    return 12


def fail(*_: Any, **__: Any) -> None:
    raise AssertionError("This empties TensorFlow's cache of kernels.")


def test_every_generator_is_seeded_as_keras_seeds_it(unused_seed: int) -> None:
    set_seed(unused_seed)
    drawn = global_draws()
    keras.utils.set_random_seed(unused_seed)
    assert drawn == global_draws()


def test_a_seed_that_was_used_begins_again(unused_seed: int) -> None:
    set_seed(unused_seed)
    drawn = global_draws()
    set_seed(unused_seed)
    assert drawn == global_draws()


def test_compiled_functions_stay_compiled(unused_seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.utils, "set_random_seed", fail)
    monkeypatch.setattr(keras.backend, "clear_session", fail)
    set_seed(unused_seed)
    forget_names()


def test_names_begin_anew_and_can_be_given_again() -> None:
    forget_names()
    assert [keras.layers.Dense(1).name for _ in range(2)] == ["dense", "dense_1"]
    names_again = remember_names()
    assert keras.layers.Dense(1).name == "dense_2"
    names_again()
    assert keras.layers.Dense(1).name == "dense_2"
    forget_names()
    assert keras.layers.Dense(1).name == "dense"


def current_draws() -> tuple[Any, ...]:
    return random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002


def test_nothing_of_the_global_state_is_left_changed() -> None:
    before = current_draws()
    own, other = IsolatedGlobalState(), IsolatedGlobalState()
    with own.active():
        keras.utils.set_random_seed(3)
        first = keras.layers.Dense(1).name
    with other.active():
        assert keras.layers.Dense(1).name == first
    with own.active():
        assert keras.layers.Dense(1).name != first
        after = current_draws()
    assert current_draws() == before != after


def test_tensorflows_seed_is_exchanged() -> None:
    keras.utils.set_random_seed(5)
    expected = tf.random.normal((2,)).numpy().tolist()
    keras.utils.set_random_seed(5)
    own = IsolatedGlobalState()
    with own.active():
        set_seed(6)
        tf.random.normal((2,))
    assert tf.random.normal((2,)).numpy().tolist() == expected


def test_the_global_state_is_given_back_when_a_training_fails() -> None:
    before = current_draws()
    with pytest.raises(ArithmeticError):
        fail_within(IsolatedGlobalState())
    assert current_draws() == before


def fail_within(own: IsolatedGlobalState) -> None:
    with own.active():
        random.seed(7)
        raise ArithmeticError


# Without them all goes on.


class Named(Tiny):
    """A model whose metric is numbered by Keras, and whose dropout draws."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        layers = [keras.layers.Dense(4), keras.layers.Dropout(0.5), keras.layers.Dense(3, activation="softmax")]
        model = keras.Sequential([keras.Input((4,)), *layers])
        model.compile("adam", "categorical_crossentropy", metrics=[keras.metrics.AUC()], run_eagerly=True)
        return model


def one_hot_data() -> Data:
    x, y = blobs()
    return Data((x, np.eye(3)[y]), (x, np.eye(3)[y]))


WITHOUT = {
    "_KERAS_STATE": "keras.src.gone",
    "_TRACKERS": ("GONE", "GONE_TOO"),
    "_SEED_KEYS": (("keras.src.gone", "GONE"),),
    "_TENSORFLOW_CONTEXT": "tensorflow.gone",
    "_TENSORFLOW_SEEDS": ("_gone", "_gone_too"),
}


@pytest.mark.parametrize("executions", [1, 2])
def test_without_a_private_name_trials_are_trained_as_with_it(begin: BeginTrial, executions: int) -> None:
    def trained() -> Any:
        return train_trial(begin, Named, {}, one_hot_data(), epochs=2, executions=executions, metric="val_auc")

    expected = trained()
    for name, value in WITHOUT.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(global_state, name, value)
            assert_same(trained(), expected)


def test_without_the_private_names_of_models_other_names_are_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(global_state, "_KERAS_STATE", WITHOUT["_KERAS_STATE"])
    forget_names()
    names_again = remember_names()
    assert keras.layers.Dense(1).name == "dense"
    names_again()
    assert keras.layers.Dense(1).name == "dense"


class BuiltByItsFirstCall(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.dense(x)


def test_a_model_that_was_built_meanwhile_is_not_built_again_by_keras() -> None:
    """Keras lists variables that are to be initialized: a list that is put back would hold those of that model."""
    BuiltByItsFirstCall()(np.zeros((1, 3)))  # from here on, there is a list
    put_back = remember_global_state()
    BuiltByItsFirstCall()(np.zeros((1, 3)))
    put_back()
    later = BuiltByItsFirstCall()
    later(np.zeros((1, 3)))
    later.compile("adam", "mse")
    later.optimizer.build(later.trainable_variables)
    assert len(later.optimizer.variables) > 2
