"""Parameters: their values, their distribution, and every way to declare them wrongly."""

from __future__ import annotations

import copy
import enum
import math
import pickle
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import chisquare, kstest

from search_spaces import Boolean, Choice, Fixed, Float, Int, InvalidDeclaration, Parameter
from search_spaces.checked import deferred_checks
from search_spaces.json_values import identity
from search_spaces.parameters import parameter_from_json, parameter_to_json
from tests.support import space_strategies as some
from tests.support.examples import with_examples

STEPPED = [
    (Float(0.0, 0.5, step=0.1), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]),
    (Float(-0.3, 0.3, step=0.2), [-0.3, -0.1, 0.1, 0.3]),
    (Float(1e-4, 1e-1, step=10, log=True), [1e-4, 1e-3, 1e-2, 1e-1]),
    (Float(1.0, 1.0, step=0.5), [1.0]),
    (Int(6, 12, step=3), [6, 9, 12]),
    (Int(2, 32, step=2, log=True), [2, 4, 8, 16, 32]),
    (Int(-2, 1), [-2, -1, 0, 1]),
    (Choice(True, 1, None, (2, 3), {"a": [1]}), [True, 1, None, [2, 3], {"a": [1]}]),
    (Boolean(), [False, True]),
    (Fixed(None), [None]),
]


@pytest.mark.parametrize(("parameter", "values"), STEPPED, ids=repr)
def test_grid_holds_exactly_the_declared_values(parameter: Parameter, values: list[Any]) -> None:
    assert list(parameter.grid()) == values
    assert [type(each) for each in parameter.grid()] == [type(each) for each in values]
    assert parameter.size == len(values)


def test_factor_that_cannot_be_typed_exactly_still_ends_at_upper() -> None:
    grid = list(Float(1e-4, 1e-2, step=10**0.5, log=True).grid())
    assert len(grid) == 5
    assert (grid[0], grid[-1]) == (1e-4, 1e-2)
    assert grid == pytest.approx([1e-4, 10**-3.5, 1e-3, 10**-2.5, 1e-2])


def test_large_ranges_cost_nothing() -> None:
    assert Int(0, 2**53).size == 2**53 + 1
    assert Int(-(2**53), 2**53).index_of(7) == 2**53 + 7
    assert Float(0.0, 1.0, step=1e-9).size == 10**9 + 1
    assert Float(0.0, 1.0, step=1e-9).index_of(0.123456789) == 123456789


@pytest.mark.parametrize(
    ("parameter", "value", "accepted"),
    [
        (Int(1, 3), 3, True),
        (Int(1, 3), 4, False),
        (Int(1, 3), True, False),
        (Int(1, 3), 2.0, False),
        (Int(1, 3), np.int64(2), False),
        (Int(0, 9, step=3), 4, False),
        (Float(0, 1), 1, True),
        (Float(0, 1), True, False),
        (Float(0, 1), math.nan, False),
        (Float(0, 1), 10**400, False),
        (Float(0, 1), None, False),
        (Float(0.0, 0.5, step=0.1), 0.1 + 0.2, True),
        (Float(0.0, 0.5, step=0.1), 0.31, False),
        (Float(0.0, 0.5, step=0.1), 0.6, False),
        (Float(1e-4, 1e-1, step=10, log=True), -1.0, False),
        (Float(1e-4, 1e-1, step=10, log=True), 0.01, True),
        (Float(2.0, 2.0), 2, True),
        (Float(2.0, 2.0), 2.1, False),
        (Choice(True, "a"), 1, False),
        (Choice(1, "a"), 1.0, True),
        (Choice(1, "a"), {1}, False),
        (Choice((1, 2)), (1, 2), True),
        (Boolean(), 0, False),
        (Boolean(), False, True),
    ],
    ids=repr,
)
def test_problem_with_a_value(parameter: Parameter, value: Any, accepted: bool) -> None:
    reason = parameter.problem_with(value)
    assert (reason is None) == accepted
    if reason is not None:
        assert reason.startswith("is ")
        assert "but must be" in reason


@with_examples(100)
@given(some.parameters)
def test_samples_and_ends_are_values_and_forms_round_trip(parameter: Parameter) -> None:
    rng = np.random.default_rng(0)
    assert all(parameter.problem_with(parameter.sample(rng)) is None for _ in range(20))
    if isinstance(parameter, Int | Float):
        assert parameter.problem_with(parameter.lower) is None
        assert parameter.problem_with(parameter.upper) is None
    grid = parameter.grid()
    if grid is not None:
        assert [parameter.index_of(each) for each in grid] == list(range(len(grid)))
    same = parameter.when(x=[1, None]).per("y")
    assert eval(repr(same)) == same  # noqa: S307
    assert parameter_from_json(parameter_to_json(same)) == same
    assert pickle.loads(pickle.dumps(same)) == same  # noqa: S301
    assert hash(copy.deepcopy(same)) == hash(same)
    assert same != parameter


def test_equality_is_by_value_and_tells_true_from_one() -> None:
    assert Choice(1, "a") == Choice(1.0, "a")
    assert Choice(1) != Choice(True)
    assert Fixed(0) != Fixed(False)
    assert Fixed(1) != Choice(1)
    assert Int(1, 2).when(a={"x", "y"}) == Int(1, 2).when(a=("x", "y"))
    assert len({Int(1, 3), Int(1, 3), Int(1, 4)}) == 2


def test_parameters_are_frozen_and_do_not_share_their_values() -> None:
    given_values = [1, 2]
    choice = Choice(given_values, "a")
    given_values.append(3)
    assert list(choice.grid()) == [[1, 2], "a"]
    with pytest.raises(AttributeError):
        Int(1, 2).lower = 0
    base = Int(1, 2)
    assert base.when(a=1).conditions
    assert not base.conditions


DRAWS = 3_000
DISTRIBUTIONS = [
    (Int(1, 7), [1] * 7),
    (Int(0, 12, step=3), [1] * 5),
    (Int(1, 6, log=True), [math.log((k + 0.5) / (k - 0.5)) for k in range(1, 7)]),
    (Int(2, 32, step=2, log=True), [1] * 5),
    (Float(0.0, 0.5, step=0.1), [1] * 6),
    (Float(1e-4, 1e-1, step=10, log=True), [1] * 4),
    (Choice("a", None, [1], True), [1] * 4),
    (Boolean(), [1, 1]),
]


@pytest.mark.parametrize(("parameter", "weights"), DISTRIBUTIONS, ids=repr)
def test_frequencies_are_as_declared(parameter: Parameter, weights: list[float]) -> None:
    rng = np.random.default_rng(1)
    seen = Counter(identity(parameter.sample(rng)) for _ in range(DRAWS))
    observed = [seen[identity(value)] for value in parameter.grid()]
    expected = DRAWS * np.array(weights) / np.sum(weights)
    assert chisquare(observed, expected).pvalue > 1e-4


def test_continuous_ranges_are_uniform_and_log_uniform() -> None:
    rng = np.random.default_rng(2)
    linear = [Float(-1.0, 3.0).sample(rng) for _ in range(DRAWS)]
    log = [Float(1e-5, 1e-1, log=True).sample(rng) for _ in range(DRAWS)]
    assert kstest((np.array(linear) + 1) / 4, "uniform").pvalue > 1e-4
    assert kstest((np.log10(log) + 5) / 4, "uniform").pvalue > 1e-4


class Colour(enum.StrEnum):
    RED = "red"


RECURSIVE: list[Any] = []
RECURSIVE.append(RECURSIVE)

MISTAKES = [
    (lambda: Int(5, 1), "`upper` is 1, but must be >= `lower` .5.: swap the two bounds."),
    (lambda: Float(2.0, -1.0), "`upper` is -1.0, but must be >= `lower` .2.0."),
    (lambda: Int(0, 4, log=True), "`lower` is 0, but must be > 0 with `log`: raise it"),
    (lambda: Float(-1.0, 4, log=True), "`lower` is -1.0, but must be > 0 with `log`"),
    (lambda: Int(1, 10, step=2), "`step` is 2, .* are 9 and 11"),
    (lambda: Int(2, 33, step=2, log=True), "`step` is 2, .* are 32 and 64"),
    (lambda: Int(1, 3**30 + 1, step=3, log=True), "`step` is 3"),
    (lambda: Float(0.0, 0.5, step=0.15), "`step` is 0.15, .* are 0.45 and 0.6"),
    (lambda: Float(1e-4, 5e-2, step=10, log=True), "`step` is 10, .* are 0.01 and 0.1"),
    (lambda: Int(1, 3, step=0), "`step` is 0, but must be a whole number >= 1"),
    (lambda: Int(1, 4, step=1, log=True), "`step` is 1, but must be a whole number >= 2"),
    (lambda: Float(0.0, 1.0, step=-0.1), "`step` is -0.1, but must be a number > 0"),
    (lambda: Float(0.1, 1.0, step=1, log=True), "`step` is 1, but must be a number >= 1.000001"),
    (lambda: Float(0.0, 1.0, step=1e-300), "`step` is 1e-300"),
    (lambda: Float(1e16, 1e16 + 4, step=1.0), "`step` is 1.0, but must be >= 2"),
    (lambda: Int("a", 3), "`lower` is 'a', but must be a whole number .*: write it as a plain int"),
    (lambda: Int(1, None), "`upper` is None"),
    (lambda: Int(True, 3), "`lower` is True"),
    (lambda: Int(1, 2.0), "`upper` is 2.0"),
    (lambda: Int(1, 10**30), "`upper` is 10+, but must be a whole number between"),
    (lambda: Int(1, 10**5000), "`upper` is an int too long to print"),
    (lambda: Int(np.int64(1), 3), r"`lower` is np.int64\(1\)"),
    (lambda: Float(math.nan, 1.0), "`lower` is nan, but must be a finite number"),
    (lambda: Float(0.0, math.inf), "`upper` is inf"),
    (lambda: Float(0.0, 1.0, log="yes"), "`log` is 'yes', but must be True or False"),
    (lambda: Choice(), "no values, but must be at least one: write Choice"),
    (lambda: Choice(1, 2, 1.0), "1.0 is listed 2 times, but must be only once: remove"),
    (lambda: Choice({1, 2}), "contains a set, which JSON cannot represent: use a list"),
    (lambda: Choice(math.nan), "contains nan"),
    (lambda: Choice(np.float64(1)), r"numpy.float64, which JSON cannot represent: use .item\(\)"),
    (lambda: Choice(Colour.RED), "Colour, which JSON cannot represent: use a plain str"),
    (lambda: Fixed(10**5000), "is too large an integer: use a float"),
    (lambda: Choice([len]), "builtin_function_or_method, .* use its name"),
    (lambda: Choice({1: 2}), "keys that are not strings: use strings"),
    (lambda: Fixed(RECURSIVE), "levels deep: use a flatter value"),
    (lambda: Int(1, 2).when(a=[]), "condition on `a` lists no values"),
    (lambda: Int(1, 2).when(a=len), "condition on `a` contains a builtin"),
    (lambda: Int(1, 2).per(3), "`per` is 3, but must be a parameter's name"),
    (lambda: Int(1, 2).per("a").per("b"), "per 'a' and 'b', but must be per one"),
]


@pytest.mark.parametrize(("declare", "message"), MISTAKES)
def test_mistake_is_reported_with_name_value_rule_and_remedy(declare: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidDeclaration, match=message):
        declare()
    with deferred_checks():
        parameter = declare()
    assert parameter.problems()


def test_several_mistakes_are_reported_at_once_and_the_error_survives_pickling() -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        Int("a", None, step=0.5, log=1)
    problems = pickle.loads(pickle.dumps(caught.value)).problems  # noqa: S301
    assert [problem.split("`")[1] for problem in problems] == ["lower", "upper", "step", "log"]
    assert str(caught.value).splitlines() == list(problems)


def test_swapped_bounds_and_a_bad_step_are_both_reported() -> None:
    for declare in (Int, Float):
        with pytest.raises(InvalidDeclaration) as caught:
            declare(5, 1, step=-1)
        assert len(caught.value.problems) == 2


def test_deferring_ends_with_its_block() -> None:
    with deferred_checks():
        Int(5, 1)
    with pytest.raises(InvalidDeclaration):
        Int(5, 1)
