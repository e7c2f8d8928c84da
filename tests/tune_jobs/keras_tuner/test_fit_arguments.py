"""The arguments of ``search`` are those of ``fit``; what is not supported is refused in words."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from ray import cloudpickle

from tune_jobs.keras_tuner.errors import FatalValueError
from tune_jobs.keras_tuner.fit_arguments import FitRequest, bound, fit_request
from tune_jobs.keras_tuner.trials.sent_data import SentData

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
        request(
            X, Y, epochs=0, batch_size=1.5, initial_epoch=3, validation_split=2, steps_per_epoch=0, validation_freq=2
        )
    text = str(caught.value)
    for name in ("epochs", "batch_size", "initial_epoch", "validation_split", "steps_per_epoch", "validation_freq"):
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


def batches() -> Any:
    for start in range(0, 20, 5):
        yield X[start : start + 5], Y[start : start + 5]


class Batches(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        return X[5 * index : 5 * index + 5], Y[5 * index : 5 * index + 5]


@pytest.mark.parametrize("kind", ["dataset", "py_dataset", "function"])
def test_sources_travel_to_the_workers(kind: str) -> None:
    sources = {
        "dataset": tf.data.Dataset.from_tensor_slices((X, Y)).map(lambda x, y: (x * 2, y)).batch(5),
        "py_dataset": Batches(),
        "function": batches,
    }
    fitted = request(sources[kind], steps_per_epoch=3, validation_data=(X, Y))
    assert fitted.arguments.steps_per_epoch == 3
    sent = SentData.of(fitted.data)
    assert sent is not None
    again = cloudpickle.loads(cloudpickle.dumps(sent)).restore()
    first = again.train[0] if kind == "py_dataset" else next(iter(again.train() if kind == "function" else again.train))
    assert np.asarray(first[0]).tolist() == (X[:5] * (2 if kind == "dataset" else 1)).tolist()
    assert SentData.of(request(X, Y).data) is None


def test_what_a_source_brings_cannot_be_given_beside_it() -> None:
    with pytest.raises(FatalValueError) as caught:
        request(Batches(), Y, batch_size=3, validation_split=0.2, sample_weight=Y)
    lines = str(caught.value).splitlines()
    assert [line.split("`")[1] for line in lines] == ["y", "batch_size", "sample_weight", "validation_split"]
    assert "which is a keras.utils.PyDataset and brings its batches: leave it out" in lines[1]


def test_what_cannot_travel_is_told() -> None:
    signature = (tf.TensorSpec((2,), tf.float64), tf.TensorSpec((), tf.int64))
    python = tf.data.Dataset.from_generator(lambda: zip(X, Y, strict=True), output_signature=signature).batch(5)
    with pytest.raises(FatalValueError, match="`x` calls Python code"):
        SentData.of(request(python).data)
    with pytest.raises(FatalValueError, match="is a generator, which is read once"):
        request(batches())
