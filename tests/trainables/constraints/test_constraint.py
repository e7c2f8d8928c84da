"""Constraints: what they say, what breaks them, and what is none."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.constraints.constraint import Constraint, InvalidConstraint, broken_words, total_violation


@pytest.mark.parametrize(
    ("text", "values", "broken"),
    [
        ("parameters <= 1e5", {"parameters": 184330.0}, "parameters 184,330 > 100,000"),
        ("parameters <= 1e5", {"parameters": 100_000}, ""),
        ("parameters < 1e5", {"parameters": 100_000}, "parameters 100,000 >= 100,000"),
        ("0.9 <= val_accuracy", {"val_accuracy": 0.85}, "0.9 > val_accuracy 0.85"),
        ("val_accuracy >= 0.9", {"val_accuracy": 0.95}, ""),
        ("units * layers / 2 < 64 + 1", {"units": 64, "layers": 3}, "units * layers / 2 96 >= 65"),
        ("sum(units) <= 100", {"units": [64, 32, 16]}, "sum(units) 112 > 100"),
        ("max(units) - min(units) > -1", {"units": [64, 32]}, ""),
        ("-x > 2", {"x": -1.5}, "-x 1.5 <= 2"),
        ("loss < 1", {"loss": math.nan}, "loss < 1 has no value"),
        ("1 / x < 1", {"x": 0}, "1 / x < 1 has no value"),
        ("kind < 1", {"kind": "relu"}, "kind < 1 has no value"),
        ("dropout < 0.1", {"units": 3}, ""),  # it is not active
    ],
)
def test_what_is_broken_is_told_in_numbers(text: str, values: dict[str, Any], broken: str) -> None:
    constraint = Constraint(text)
    assert constraint.is_kept(values) is (not broken)
    assert broken_words([constraint], values) == broken


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("parameters", "must be a comparison by <, <=, > or >="),
        ("parameters == 5", "must be a comparison by <, <=, > or >="),
        ("parameters <=", "must be a comparison"),
        ("1 < 2", "names nothing that a trial has"),
        ("1 < x < 2", "write each as a constraint of its own"),
        ("x <= '5'", "has `'5'`, which is no number, name, sum, product"),
        ("x.y <= 5", "has `x.y`"),
        ("__import__('os').getcwd() < 5", "has `__import__('os').getcwd()`"),
        ("abs(x) < 5", "has `abs(x)`"),
        ("x ** 9 < 5", "has `x ** 9`"),
        ("x < 1e999", "has `1e309`"),
        ("x < True", "has `True`"),
        ("", "must be a comparison"),
        ("(" * 900, "must be a comparison"),
        ("x" * 2000 + " < 1", "at most 1,000 letters"),
        (5, "must be a comparison"),
        (["x < 1"], "must be a comparison"),
    ],
)
def test_what_is_no_constraint_is_told(text: Any, rule: str) -> None:
    with pytest.raises(InvalidConstraint) as error:
        Constraint(text)
    assert rule in str(error.value)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("x <= 5", ("x", "<=", 5.0)),
        ("5 <= x", ("x", ">=", 5.0)),
        ("-1e3 < x", ("x", ">", -1000.0)),
        ("x <= y", None),
        ("x + 1 <= 5", None),
    ],
)
def test_a_bound_is_one_name_and_one_number(text: str, bound: tuple[str, str, float] | None) -> None:
    assert Constraint(text).bound == bound


NUMBERS = st.floats(-1e12, 1e12)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_who_is_farther_from_a_bound_breaks_it_more(limit: float, first: float, second: float) -> None:
    constraint = Constraint(f"x <= {limit!r}" if limit >= 0 else f"x <= -{-limit!r}")
    violations = {value: constraint.violation({"x": value}) for value in (first, second)}
    assert all((violation == 0) == (value <= limit) for value, violation in violations.items())
    if limit < first < second:
        assert violations[first] <= violations[second]
    assert total_violation([constraint, constraint], {"x": first}) == 2 * violations[first]
