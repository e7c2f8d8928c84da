"""The grid of a space and its size, known before it is enumerated."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given

from search_spaces import Boolean, Choice, Fixed, Float, Int, InvalidDeclaration, SearchSpace
from search_spaces.json_values import identity
from tests.support import space_strategies as some
from tests.support.examples import with_examples

MOST = 2_000


@with_examples(120)
@given(some.spaces(finite=True, most=4))
def test_grid_has_exactly_the_configurations_of_the_space(space: SearchSpace) -> None:
    assume(space.size <= MOST)
    configurations = list(space.grid())
    known = {identity(each) for each in configurations}
    assert len(configurations) == len(known) == space.size
    assert all(space.contains(each) for each in configurations)
    rng = np.random.default_rng(0)
    assert all(identity(space.sample(rng)) in known for _ in range(20))


def test_last_parameter_varies_fastest() -> None:
    space = SearchSpace(a=Int(1, 2), n=Int(0, 1), x=Choice("p", "q").per("n"), b=Boolean())
    rows = [(each["a"], each["x"], each["b"]) for each in space.grid()]
    lists = [[], ["p"], ["q"]]
    assert rows == list(itertools.product([1, 2], lists, [False, True]))


def test_grid_is_lazy_and_size_exact_for_huge_spaces() -> None:
    space = SearchSpace(**{f"x{index}": Int(1, 10) for index in range(30)}, s=Choice("a", "b"), y=Int(1, 3).when(s="a"))
    assert space.size == 10**30 * (3 + 1)
    first, second = itertools.islice(space.grid(), 2)
    assert (first["y"], second["y"]) == (1, 2)


def test_size_of_entangled_spaces_is_found_without_branching_over_everything() -> None:
    switches = {f"s{index}": Boolean() for index in range(40)}
    chained = {f"c{index}": Int(1, 3).when(**{f"s{index}": True, f"s{index + 1}": True}) for index in range(39)}
    ways = {True: 1, False: 1}
    for _ in range(39):  # one more switch: the parameter between two that are on has three values
        ways = {True: ways[False] + 3 * ways[True], False: ways[False] + ways[True]}
    assert SearchSpace(**switches, **chained).size == sum(ways.values())
    everything = SearchSpace(**switches, x=Int(1, 5).when(**dict.fromkeys(switches, True)))
    assert everything.size == 2**40 - 1 + 5


def test_size_of_lists_of_lists_whose_elements_all_wait_for_one_more_parameter() -> None:
    space = SearchSpace(
        outer=Fixed(9), inner=Int(5, 9).per("outer"), on=Boolean(), element=Boolean().per("inner").when(on=True)
    )
    assert space.size == 5**9 + sum(2**length for length in range(5, 10)) ** 9


def test_size_of_repeated_conditional_elements() -> None:
    space = SearchSpace(
        layers=Int(0, 30),
        kind=Choice("conv", "dense").per("layers"),
        filters=Int(1, 4).per("layers").when(kind="conv"),
    )
    assert space.size == sum(5**length for length in range(31))


def test_size_with_a_parent_of_a_billion_values() -> None:
    space = SearchSpace(a=Int(1, 10**9), b=Int(1, 7).when(a=[5, 6]), c=Int(1, 2).when(a=5))
    assert space.size == 10**9 - 2 + 7 * 2 + 7


def test_continuum_makes_the_space_infinite_and_its_grid_an_error() -> None:
    space = SearchSpace(big=Int(1, 2**50), n=Int(0, 2), rate=Float(0.0, 1.0, log=False).per("n"), ok=Boolean())
    assert space.size == math.inf
    with pytest.raises(InvalidDeclaration, match=r"rate: Its values 0 … 1 are a continuum.*give it a step") as caught:
        space.grid()
    assert len(caught.value.problems) == 1


def test_continuum_that_is_never_active_does_not_count() -> None:
    space = SearchSpace(n=Fixed(0), rate=Float(0.0, 1.0).per("n"))
    assert space.size == 1
    assert list(space.grid()) == [{"n": 0, "rate": []}]


def test_a_grid_of_some_values_holds_the_others_also_where_they_are_a_continuum() -> None:
    space = SearchSpace(layers=Int(1, 3), units=Choice(8, 16).per("layers"), rate=Float(0.0, 1.0))
    values = {"layers": (2,), "rate": (0.5,)}
    assert list(space.grid_of(lambda slot: values.get(slot.name, (8,) if slot.index == (1,) else (16, 8)))) == [
        {"layers": 2, "units": [16, 8], "rate": 0.5},
        {"layers": 2, "units": [8, 8], "rate": 0.5},
    ]
