"""The arguments of ``search`` are those of ``fit``; what is not supported is refused in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tune_jobs.keras_tuner.errors import FatalValueError
from tune_jobs.keras_tuner.fit_arguments import FitRequest, bound, fit_request

X, Y = np.arange(40.0).reshape(20, 2), np.arange(20)


def request(*args: Any, **kwargs: Any) -> FitRequest:
    return fit_request(bound(args, kwargs))


def test_the_last_examples_are_those_to_validate_on() -> None:
    data = request(X, Y, validation_split=0.2).data
    assert data.train[1].tolist() == list(range(16))
    assert data.validation is not None
    assert data.validation[1].tolist() == [16, 17, 18, 19]


def test_weights_and_several_inputs_are_divided_with_the_examples() -> None:
    weights = np.linspace(1, 2, 20)
    data = request({"a": X, "b": X}, Y, validation_split=0.25, sample_weight=weights).data
    assert data.examples == {"train": 15, "validation": 5}
    assert data.train[0]["b"].shape == (15, 2)
    assert data.train[2].tolist() == weights[:15].tolist()


@pytest.mark.parametrize("x", [X.tolist(), pd.DataFrame(X, columns=["a", "b"])], ids=["lists", "frame"])
def test_what_keras_takes_for_an_array_is_one(x: Any) -> None:
    data = request(x, list(Y), validation_data=(x, list(Y))).data
    assert data.train[0].shape == (20, 2)
    assert data.examples == {"train": 20, "validation": 20}


def test_options_have_the_defaults_of_keras() -> None:
    arguments = request(X, Y).arguments
    assert (arguments.epochs, arguments.batch) == (1, 32)
    assert request(X, Y, 8, 3, class_weight={0: 2.0}).arguments.batch == 8


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(FatalValueError) as caught:
        request(X, Y, epochs=0, batch_size=1.5, shuffle=False, validation_split=2, steps_per_epoch=3, validation_freq=2)
    text = str(caught.value)
    for name in ("epochs", "batch_size", "shuffle", "validation_split", "steps_per_epoch", "validation_freq"):
        assert f"The value of `{name}` is" in text


@pytest.mark.parametrize(
    ("kwargs", "mistake"),
    [
        ({"x": None}, "`x` is None, but must be the training examples"),
        ({"x": X}, "`y` is None, but must be the labels"),
        ({"x": X, "y": Y[:5]}, "20, 5 examples"),
        ({"x": X, "y": Y, "validation_data": X}, r"`validation_data` is a ndarray, but must be \(x, y\)"),
        ({"x": X[:1], "y": Y[:1], "validation_split": 0.5}, "1 examples cannot be divided"),
    ],
)
def test_wrong_data_are_told(kwargs: Any, mistake: str) -> None:
    with pytest.raises(FatalValueError, match=mistake):
        request(**kwargs)


def test_an_argument_that_fit_does_not_have_is_told() -> None:
    with pytest.raises(TypeError, match=r"search\(\) got `epoch`, but takes the arguments of keras.Model.fit: x, y"):
        bound((X, Y), {"epoch": 3})
