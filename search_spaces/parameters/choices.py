"""Parameters with listed values: Choice, Boolean and Fixed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from search_spaces.json_values import identity, json_problem, plain_copy
from search_spaces.messages import short_repr
from search_spaces.parameters.base import Parameter
from search_spaces.parameters.grids import ValueGrid


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Listed(Parameter):
    """A parameter with listed values, which are all equally likely."""

    values: tuple[Any, ...]

    def own_problems(self) -> list[str]:
        """Return every mistake in the values."""
        problems = ((value, json_problem(value)) for value in self.values)
        return [f"The value {short_repr(value)} {problem}." for value, problem in problems if problem]

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that the parameter was made with; those at their default are left out."""
        return {}

    def grid(self) -> ValueGrid:
        """Return the values in the order in which they were listed."""
        return self.values

    def index_of(self, value: Any) -> int | None:
        """Return the index of a value on the grid, from 0; None if it is not one of the values."""
        key = identity(value)
        return next((index for index, listed in enumerate(self.values) if identity(listed) == key), None)

    def describe(self) -> str:
        """Return the values in a few words."""
        return ", ".join(short_repr(value) for value in self.values)


@dataclass(frozen=True, slots=True, eq=False, repr=False, init=False)
class Choice(_Listed):
    """A parameter with one of the given values, which are all equally likely.

    Any JSON value is possible, also None, lists and dicts. Tuples become lists, as they would in a JSON file. 1 and 1.0
    are the same value, 1 and True are not.

    Args:
        *values: The values to choose from.

    Raises:
        InvalidDeclaration: There are no values, two are the same, or JSON cannot represent one.

    Example:
        >>> from search_spaces import Choice
        >>> optimizer = Choice("adam", "rmsprop", "sgd")
        >>> optimizer.size
        3
        >>> list(optimizer.grid())
        ['adam', 'rmsprop', 'sgd']
    """

    def __init__(self, *values: Any) -> None:
        _set_values(self, values)

    def own_problems(self) -> list[str]:
        """Return every mistake in the values."""
        if not self.values:
            return ["There are no values, but must be at least one: write Choice('adam', 'sgd')."]
        times = Counter(identity(value) for value in self.values)
        repeated = {key: value for value in self.values if times[key := identity(value)] > 1}
        return _Listed.own_problems(self) + [
            f"The value {short_repr(value)} is listed {times[key]} times, but must be only once: remove the others."
            for key, value in repeated.items()
        ]

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that the parameter was made with; those at their default are left out."""
        return {"values": list(self.values)}

    def _typed_arguments(self) -> str:
        return ", ".join(repr(value) for value in self.values)


@dataclass(frozen=True, slots=True, eq=False, repr=False, init=False)
class Boolean(_Listed):
    """A parameter that is False or True, both equally likely.

    Example:
        >>> from search_spaces import Boolean
        >>> list(Boolean().grid())
        [False, True]
    """

    def __init__(self) -> None:
        _set_values(self, (False, True))


@dataclass(frozen=True, slots=True, eq=False, repr=False, init=False)
class Fixed(_Listed):
    """A parameter that always has the same value.

    Use it for what the trainable expects in its configuration but nobody searches.

    Args:
        value: Any JSON value; tuples become lists.

    Raises:
        InvalidDeclaration: JSON cannot represent the value.

    Example:
        >>> from search_spaces import Fixed, SearchSpace
        >>> list(SearchSpace(units=Fixed((128, 64))).grid())
        [{'units': [128, 64]}]
    """

    def __init__(self, value: Any) -> None:
        _set_values(self, (value,))

    @property
    def value(self) -> Any:
        """The only value."""
        return self.values[0]

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that the parameter was made with; those at their default are left out."""
        return {"value": self.value}


def _set_values(parameter: _Listed, values: tuple[Any, ...]) -> None:
    attributes = {"conditions": (), "counts": (), "values": tuple(plain_copy(value) for value in values)}
    for name, value in attributes.items():
        object.__setattr__(parameter, name, value)
    parameter.__post_init__()
