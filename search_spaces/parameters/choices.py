"""Listed values: Choice, Boolean and Fixed."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from search_spaces.json_values import identity, json_problem, plain
from search_spaces.messages import shown
from search_spaces.parameters.base import Parameter
from search_spaces.parameters.grids import Grid


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Listed(Parameter):
    """One of listed values, all equally likely."""

    values: tuple[Any, ...]

    def own_problems(self) -> list[str]:
        """Return what is wrong with the values."""
        return [f"The value {shown(each)} {found}." for each in self.values if (found := json_problem(each))]

    def arguments(self) -> dict[str, Any]:
        """Return what the parameter was made of; what is at its default is left out."""
        return {}

    def grid(self) -> Grid:
        """Return the values in the order in which they were listed."""
        return self.values

    def position(self, value: Any) -> int | None:
        """Return where on the grid the value lies, or None when it is not one of the values."""
        key = identity(value)
        return next((index for index, each in enumerate(self.values) if identity(each) == key), None)

    def describe(self) -> str:
        """Return the values in a few words."""
        return ", ".join(shown(each) for each in self.values)


@dataclass(frozen=True, slots=True, eq=False, repr=False, init=False)
class Choice(_Listed):
    """One of the given values, all equally likely: any JSON value, also None, lists and dicts.

    Tuples become lists, as they would in any JSON file. 1 and 1.0 are the same value, 1 and True are not.

    Args:
        *values: The values to choose from.

    Raises:
        InvalidDeclaration: There are no values, two are the same, or JSON cannot hold one.
    """

    def __init__(self, *values: Any) -> None:
        _set_values(self, values)

    def own_problems(self) -> list[str]:
        """Return what is wrong with the values."""
        if not self.values:
            return ["There are no values, but must be at least one: write Choice('adam', 'sgd')."]
        times = Counter(identity(each) for each in self.values)
        twice = {key: each for each in self.values if times[key := identity(each)] > 1}
        return _Listed.own_problems(self) + [
            f"The value {shown(each)} is listed {times[key]} times, but must be only once: remove the others."
            for key, each in twice.items()
        ]

    def arguments(self) -> dict[str, Any]:
        """Return what the parameter was made of; what is at its default is left out."""
        return {"values": list(self.values)}

    def _typed_arguments(self) -> str:
        return ", ".join(repr(each) for each in self.values)


@dataclass(frozen=True, slots=True, eq=False, repr=False, init=False)
class Boolean(_Listed):
    """False or True."""

    def __init__(self) -> None:
        _set_values(self, (False, True))


@dataclass(frozen=True, slots=True, eq=False, repr=False, init=False)
class Fixed(_Listed):
    """Always the same value: what the trainable expects in its configuration but nobody searches.

    Args:
        value: Any JSON value; tuples become lists.

    Raises:
        InvalidDeclaration: JSON cannot hold the value.
    """

    def __init__(self, value: Any) -> None:
        _set_values(self, (value,))

    @property
    def value(self) -> Any:
        """The value."""
        return self.values[0]

    def arguments(self) -> dict[str, Any]:
        """Return what the parameter was made of; what is at its default is left out."""
        return {"value": self.value}


def _set_values(parameter: _Listed, values: tuple[Any, ...]) -> None:
    for name, value in {
        "conditions": (),
        "counts": (),
        "values": tuple(plain(each) for each in values),
    }.items():
        object.__setattr__(parameter, name, value)
    parameter.__post_init__()
