"""The variables of a model are made before its first step, in whatever structure labels and outputs come."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from trainables.training.model import create_variables, first_examples

X = np.ones((4, 2), np.float32)
KIND, SIZE = np.array([0, 1, 0, 1]), np.ones((4, 1), np.float32)


def two_outputs(arrange: Any, loss: Any) -> Any:
    inputs = keras.Input((2,))
    kind, size = keras.layers.Dense(2, name="kind")(inputs), keras.layers.Dense(1, name="size")(inputs)
    model = keras.Model(inputs, arrange(kind, size))
    model.compile("sgd", loss, run_eagerly=True)
    return model


def as_dict(kind: Any, size: Any) -> dict[str, Any]:
    return {"kind": kind, "size": size}


def as_list(kind: Any, size: Any) -> list[Any]:
    return [kind, size]


LOSSES = as_dict("sparse_categorical_crossentropy", "mse")


NAMED = {"size": SIZE, "kind": KIND}


@pytest.mark.parametrize(
    ("arrange", "labels"),
    [(as_dict, NAMED), (as_list, NAMED), (as_list, [KIND, SIZE]), (as_list, (KIND, SIZE))],
)
def test_labels_by_name_and_outputs_in_order_belong_together_as_in_keras(arrange: Any, labels: Any) -> None:
    made, plain = two_outputs(arrange, LOSSES), two_outputs(arrange, LOSSES)
    plain.set_weights(made.get_weights())
    create_variables(made, (X, labels))
    names = [metric.name for metric in made.metrics]
    expected = plain.fit(X, labels, shuffle=False, verbose=0).history
    assert made.fit(X, labels, shuffle=False, verbose=0).history == expected
    assert names == [metric.name for metric in plain.metrics]


def test_labels_that_are_arranged_in_another_way_are_left_to_keras() -> None:
    inputs = keras.Input((2,))
    model = keras.Model([inputs], [keras.layers.Dense(2)(inputs)])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    create_variables(model, ([X], [KIND]))
    create_variables(model, ([X], {"another": KIND}))
    assert set(model.fit([X], [KIND], verbose=0).history) == {"loss", "accuracy"}


def test_the_first_examples_of_lists_are_in_tuples() -> None:
    first, named = first_examples([X, {"words": np.array(["a", "b"])}])
    assert first.shape == (1, 2)
    assert named["words"].numpy().tolist() == [b"a"]
