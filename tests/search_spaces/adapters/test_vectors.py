"""A space as vectors: each configuration has its own, and inactive parameters make no difference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Boolean, Choice, Float, Int, Parameter, SearchSpace
from search_spaces.adapters.vectors import Vectors, is_number, number_at, position_of
from search_spaces.json_values import identity
from search_spaces.space import Config
from tests.support import space_strategies as some
from tests.support.examples import with_examples

SPACE = SearchSpace(
    rate=Float(1e-4, 1e-2, log=True),
    powers=Int(2, 32, step=2, log=True),
    kind=Choice("a", "b", "c"),
    layers=Int(1, 3),
    units=Int(10, 20).per("layers"),
    flag=Boolean().when(kind="a"),
)


def drawn(space: SearchSpace, seed: int, count: int = 1) -> list[Config]:
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


@with_examples(60)
@given(some.spaces(finite=True), st.integers(0, 2**32))
def test_two_configurations_have_the_same_vector_only_if_they_are_the_same(space: SearchSpace, seed: int) -> None:
    configs = drawn(space, seed, 12)
    vectors = [tuple(row) for row in Vectors(space).embed(configs).tolist()]
    keys = [identity(config) for config in configs]
    assert [[one == other for other in vectors] for one in vectors] == [
        [one == other for other in keys] for one in keys
    ]


@with_examples(60)
@given(some.spaces(), st.integers(0, 2**32))
def test_inactive_slots_are_at_the_origin_and_active_ones_are_not(space: SearchSpace, seed: int) -> None:
    vectors = Vectors(space)
    (config,) = drawn(space, seed)
    (row,) = vectors.embed([config])
    assert np.abs(row).max(initial=0.0) <= 1.0
    active = space.flatten(config)
    conditional = {slot.label for slot in space.slots() if slot.parameter.conditions or slot.parameter.counts}
    for label, columns in vectors.columns.items():
        if label not in active:
            assert not row[columns].any()
        elif label in conditional:
            assert row[columns].any()


@with_examples(60)
@given(some.parameters, st.integers(0, 2**32))
def test_a_number_is_found_again_at_its_position(parameter: Parameter, seed: int) -> None:
    value = parameter.sample(np.random.default_rng(seed))
    if is_number(parameter) and parameter.size != 1:
        position = position_of(parameter, value)
        assert 0.0 <= position <= 1.0
        assert number_at(parameter, position) == pytest.approx(value, rel=1e-6)
        for any_position in (position, -3.0, 0.5, 2.0):
            assert parameter.problem_with(number_at(parameter, any_position)) is None


def test_coordinates() -> None:
    vectors = Vectors(SPACE)
    row = vectors.embed([{"rate": 1e-3, "powers": 8, "kind": "b", "layers": 2, "units": [10, 20]}])[0]
    at = {label: row[columns].tolist() for label, columns in vectors.columns.items()}
    assert at["rate"] == pytest.approx([0.5])
    assert at["powers"] == [0.5]
    assert at["kind"] == pytest.approx([0, 0.5**0.5, 0])
    assert at["units_2"] == [0, 0]
    assert at["flag"] == [0, 0]
    ends = np.array([at["units_0"], at["units_1"]])
    assert np.linalg.norm(ends, axis=1) == pytest.approx([1, 1])  # from the origin
    assert np.linalg.norm(ends[0] - ends[1]) == pytest.approx(1)
    assert vectors.width == len(row) == len(vectors.owners) == 14
    assert vectors.owners.tolist() == [0, 1, 2, 2, 2, 3, *[4] * 6, 5, 5]


def test_what_is_inactive_makes_no_difference() -> None:
    """Two configurations without a third layer are equally far from two that differ in their third layers only."""
    base = {"rate": 1e-3, "powers": 8, "kind": "b", "layers": 1, "units": [12]}
    one, other, wide = Vectors(SPACE).embed(
        [base, {**base, "rate": 1e-2}, {**base, "layers": 3, "units": [12, 20, 20]}]
    )
    assert np.linalg.norm(one - other) == pytest.approx(0.5)
    narrow = Vectors(SPACE).embed([{**base, "layers": 3, "units": [12, 10, 10]}])[0]
    assert np.linalg.norm(one - wide) == pytest.approx(np.linalg.norm(one - narrow))


def test_neighbouring_floats_with_the_same_logarithm_have_positions() -> None:
    parameter = Float(1e-9, float(np.nextafter(1e-9, 1)), log=True)
    assert [position_of(parameter, value) for value in (parameter.lower, parameter.upper)] == [0.0, 1.0]


def test_a_space_without_a_choice_has_no_columns() -> None:
    assert Vectors(SearchSpace(a=Choice("only"))).embed([{"a": "only"}]).shape == (1, 0)
