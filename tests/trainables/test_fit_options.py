"""The options of fit: what is not one of them is told in words, and where its place is."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
from typing import Any

import keras
import numpy as np
import pytest

from trainables import FitOptions, InvalidTrainable

NOT_TOLD = {"self"}


def test_every_argument_of_fit_is_an_option_or_has_its_place_elsewhere() -> None:
    arguments = set(inspect.signature(keras.Model.fit).parameters) - NOT_TOLD
    known = {field.name for field in dataclasses.fields(FitOptions)}
    for name in arguments - known:
        with pytest.raises(InvalidTrainable, match=f"FitOptions has no `{name}`: (?!it has)"):
            FitOptions(**{name: 1})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"clas_weight": {}}, "FitOptions has no `clas_weight`: it has callbacks, class_weight,"),
        ({"steps_per_epoch": 0}, "`steps_per_epoch` is 0, but must be a whole number >= 1"),
        ({"validation_steps": 2.5}, "`validation_steps` is 2.5"),
        ({"validation_batch_size": None}, "`validation_batch_size` is None"),
        ({"steps_per_execution": "auto"}, "`steps_per_execution` is 'auto'"),
        ({"class_weight": "balanced"}, "`class_weight` is 'balanced', but must be a dict"),
        ({"class_weight": {"cat": 2.0}}, "`class_weight` is a dict, but must be a dict of a weight for each class, by"),
        ({"callbacks": keras.callbacks.TerminateOnNaN()}, "`callbacks` is a TerminateOnNaN, but must be a list"),
        ({"augment": "flip"}, "`augment` is 'flip'"),
        ({"shuffle": "batch"}, "`shuffle` is 'batch', but must be True or False"),
    ],
)
def test_a_wrong_value_is_told(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(InvalidTrainable) as caught:
        FitOptions(**options)
    assert expected in str(caught.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InvalidTrainable) as caught:
        FitOptions(steps_per_epoch=0, shuffle="batch")  # type: ignore[arg-type]
    assert all(name in str(caught.value) for name in ("steps_per_epoch", "shuffle"))


def test_numbers_of_numpy_are_numbers_and_options_can_be_replaced_and_sent() -> None:
    options = FitOptions(**{"class_weight": {np.int64(1): np.float32(2)}, "steps_per_epoch": np.int64(3)})
    sent = pickle.dumps(dataclasses.replace(options, shuffle=False))
    assert pickle.loads(sent).steps_per_epoch == 3  # noqa: S301 - its own
