"""Amounts are counted as Ray counts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.ray_node import RayNode
from tune_jobs.base.amounts import (
    RAY_NAMES,
    UNITS,
    field_named,
    fits,
    ray_name,
    share_of_one,
    to_units,
    trials_per_amount,
)

ASKED = st.floats(0.001, 70) | st.integers(1, 70) | st.builds(lambda trials: 1 / trials, st.integers(1, 1000))
AVAILABLE = st.integers(0, 64) | st.floats(0, 64)


def test_a_unit_is_the_one_of_the_ray_that_is_installed() -> None:
    from ray import _raylet

    assert UNITS == _raylet.RESOURCE_UNIT_SCALING


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        (0, 0),
        (1, 10_000),
        (0.1 + 0.2, 3000),
        (1 / 3, 3333),
        (1 / 7, 1428),
        (0.57, 5699),
        (0.00019, 1),
        (2**40, 2**40 * 10_000),
    ],
)
def test_an_amount_is_rounded_down(amount: float, units: int) -> None:
    assert to_units(amount) == units


@given(ASKED, AVAILABLE)
def test_what_fits_is_what_ray_gives(asked: float, available: float) -> None:
    assert fits(asked, available) == RayNode({"CPU": available}).take({"CPU": asked})


@given(ASKED, AVAILABLE)
def test_as_many_trials_fit_as_ray_starts(asked: float, available: float) -> None:
    trials = trials_per_amount(asked, available)
    assert RayNode({"CPU": available}).count({"CPU": asked}, trials + 1) == trials


def test_what_is_less_than_a_unit_counts_as_one() -> None:
    assert trials_per_amount(0.00001, 1) == UNITS


@given(st.integers(1, UNITS))
def test_the_share_of_each_is_the_largest_with_which_all_fit(trials: int) -> None:
    share = share_of_one(trials)
    assert trials_per_amount(share, 1) >= trials
    assert trials * (to_units(share) + 2) > UNITS  # a product in floating point may lose the last unit
    assert trials * (round(share * UNITS) + 1) > UNITS


def test_each_field_has_one_name_in_ray_and_is_known_by_both() -> None:
    for field, name in RAY_NAMES.items():
        assert ray_name(field) == name
        assert field_named(field) == field_named(name) == field_named(name.upper()) == field
    assert ray_name("a100") == "a100"
    assert field_named("a100") is None
