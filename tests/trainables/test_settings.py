"""The direction of an objective, and the values that travel inside a Ray configuration."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.settings import ControlValues, Mode, as_loss, is_better, unwrap

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@given(NUMBERS, NUMBERS)
def test_the_better_value_is_the_larger_or_the_smaller_one(value: float, other: float) -> None:
    assert is_better(value, other, "max") == (value > other)
    assert is_better(value, other, "min") == (value < other)


@pytest.mark.parametrize("mode", ["max", "min"])
def test_nan_is_neither_better_nor_beaten(mode: Mode) -> None:
    assert not is_better(math.nan, 0.5, mode)
    assert not is_better(0.5, math.nan, mode)


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_the_least_loss_is_the_best_value_and_the_first_of_equals(values: list[float]) -> None:
    assert min(values, key=lambda value: as_loss(value, "max")) == max(values)
    assert min(values, key=lambda value: as_loss(value, "min")) == min(values)


def test_control_values_travel_under_three_keys() -> None:
    assert ControlValues(7, 3).wrap({"x": 1}) == {"x": 1, "__trial__": 7, "__reported__": 3}
    assert ControlValues(7, 3, 0.5).wrap({}) == {"__trial__": 7, "__reported__": 3, "__gpus__": 0.5}


@given(st.builds(ControlValues, st.integers(0), st.integers(0), st.none() | st.floats(0, 8)))
def test_what_was_wrapped_is_unwrapped(control: ControlValues) -> None:
    parameters = {"units": [8], "learning_rate": 0.1}
    config = control.wrap(parameters)
    assert unwrap(config) == (parameters, control)
    assert unwrap(config)[0] is not config


def test_plain_ray_tune_tells_no_control_values() -> None:
    assert unwrap({"x": 1}) == ({"x": 1}, ControlValues(0, 0, None))
