"""A space as the param_space of Ray's Tuner."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ray.tune.search.variant_generator import generate_variants

from search_spaces import Boolean, Choice, Fixed, Float, Int, SearchSpace
from trainables.settings import unwrap

FLAT = SearchSpace(
    units=Int(8, 64),
    depth=Int(1, 9, step=4),
    rate=Float(1e-4, 1e-2, log=True),
    dropout=Float(0.0, 0.5, step=0.25),
    width=Int(2, 64, log=True),
    optimizer=Choice("adam", "sgd"),
    bias=Boolean(),
    epochs=Fixed(5),
)
NESTED = SearchSpace(
    layers=Int(1, 3),
    units=Choice(32, 64).per("layers"),
    optimizer=Choice("adam", "sgd"),
    momentum=Float(0.0, 0.9).when(optimizer="sgd"),
)


def drawn(space: SearchSpace, seed: int, count: int = 1) -> list[dict[str, Any]]:
    import numpy as np

    state = np.random.RandomState(seed)
    return [
        next(iter(generate_variants({"config": space.for_ray()}, random_state=state)))[1]["config"]
        for _ in range(count)
    ]


@pytest.mark.parametrize("space", [FLAT, NESTED])
@given(seed=st.integers(0, 2**32 - 1))
def test_what_ray_draws_is_a_configuration_of_the_space(space: SearchSpace, seed: int) -> None:
    (config,) = drawn(space, seed)
    parameters, _ = unwrap(config)
    assert space.validate(parameters) == []


def test_ray_draws_every_value_of_a_small_space() -> None:
    space = SearchSpace(a=Int(1, 3), b=Choice("x", "y").when(a=2))
    found = {tuple(unwrap(config)[0].items()) for config in drawn(space, 0, 200)}
    assert found == {(("a", 1),), (("a", 2), ("b", "x")), (("a", 2), ("b", "y")), (("a", 3),)}
