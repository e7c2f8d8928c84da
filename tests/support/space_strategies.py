"""Random valid parameters and spaces, for property tests."""

from __future__ import annotations

from hypothesis import assume
from hypothesis import strategies as st

from search_spaces import Boolean, Choice, Fixed, Float, Int, InvalidDeclaration, Parameter, SearchSpace

NAMES = ["alpha", "beta", "gamma", "delta", "epsilon"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["", "a", "sgd"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["x", "y"]), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    try:
        return Choice(*draw(st.lists(json_values, min_size=1, max_size=4)))
    except InvalidDeclaration:
        assume(False)  # the same value twice


@st.composite
def stepped_ints(draw: st.DrawFn) -> Int:
    lower, step, count = draw(st.integers(-5, 40)), draw(st.integers(1, 9)), draw(st.integers(0, 4))
    return Int(lower, lower + step * count, step=step)


@st.composite
def factor_ints(draw: st.DrawFn) -> Int:
    lower, step, count = draw(st.integers(1, 9)), draw(st.integers(2, 5)), draw(st.integers(0, 4))
    return Int(lower, lower * step**count, step=step, log=True)


@st.composite
def stepped_floats(draw: st.DrawFn) -> Float:
    lower, step, count = draw(st.integers(-30, 30)), draw(st.integers(1, 30)), draw(st.integers(0, 6))
    return Float(lower / 100, (lower + step * count) / 100, step=step / 100)


@st.composite
def factor_floats(draw: st.DrawFn) -> Float:
    exponent, count = draw(st.integers(-6, 2)), draw(st.integers(0, 4))
    return Float(float(f"1e{exponent}"), float(f"1e{exponent + count}"), step=10, log=True)


@st.composite
def continuous_floats(draw: st.DrawFn) -> Float:
    lower, upper = sorted(draw(st.tuples(st.floats(1e-9, 1e6), st.floats(1e-9, 1e6))))
    return Float(lower, upper, log=draw(st.booleans()))


@st.composite
def plain_ints(draw: st.DrawFn) -> Int:
    lower, width = draw(st.integers(1, 6)), draw(st.integers(0, 4))
    return Int(lower, lower + width, log=draw(st.booleans()))


finite_parameters = st.one_of(
    plain_ints(),
    stepped_ints(),
    factor_ints(),
    stepped_floats(),
    factor_floats(),
    choices(),
    st.just(Boolean()),
    st.builds(Fixed, json_values),
)
parameters = finite_parameters | continuous_floats()
counts = st.one_of(
    st.builds(Int, st.integers(0, 1), st.integers(1, 2)),
    st.just(Choice(0, 2)),
    st.builds(Fixed, st.integers(0, 2)),
)


@st.composite
def spaces(draw: st.DrawFn, finite: bool = False, most: int = 5) -> SearchSpace:
    """Draw a valid space; conditions and repetition are nested at random."""
    space: dict[str, Parameter] = {}
    for name in NAMES[: draw(st.integers(1, most))]:
        parameter = draw(counts | (finite_parameters if finite else parameters))
        space[name] = parameter
        for change in (_repeated, _conditional):
            candidate = change(draw, space, space[name])
            if candidate is not None and _valid({**space, name: candidate}):
                space[name] = candidate
    order = draw(st.permutations(list(space)))  # children may be declared before their parents
    return SearchSpace(**{name: space[name] for name in order})


def _repeated(draw: st.DrawFn, space: dict[str, Parameter], parameter: Parameter) -> Parameter | None:
    parents = [name for name in space if draw(st.booleans())]
    return parameter.per(parents[0]) if parents else None


def _conditional(draw: st.DrawFn, space: dict[str, Parameter], parameter: Parameter) -> Parameter | None:
    candidates = {name: other for name, other in space.items() if other is not parameter and other.grid() is not None}
    if not candidates or draw(st.booleans()):
        return None
    siblings = [name for name, other in candidates.items() if other.counts and other.counts == parameter.counts]
    name = draw(st.sampled_from(siblings or sorted(candidates)))
    values = list(candidates[name].grid() or ())
    given = draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique_by=repr))
    return parameter.when(**{name: given})


def _valid(space: dict[str, Parameter]) -> bool:
    try:
        SearchSpace(**space)
    except InvalidDeclaration:
        return False
    return True
