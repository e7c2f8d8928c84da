"""What all kinds of parameter share: conditions, repetition, equality by value, a repr that can be typed."""

import copy
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from search_spaces.checked import Checked
from search_spaces.json_values import identity
from search_spaces.messages import mistake, shown
from search_spaces.parameters.conditions import Condition
from search_spaces.parameters.grids import Grid


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Parameter(Checked):
    """A frozen declaration of what one parameter may be, when it is active, and how often it is repeated."""

    conditions: tuple[Condition, ...] = field(default=(), kw_only=True)
    counts: tuple[str, ...] = field(default=(), kw_only=True)

    def when(self, **conditions: Any) -> Self:
        """Return a copy that is active only where every named parent has the given value.

        A list, tuple or set means any of its values, unless it equals one of the parent's own values (a
        parent may choose between lists): then it means that value. Conditions add up over several calls.

        Raises:
            InvalidDeclaration: A given value is not JSON, or a list of values is empty.
        """
        added = tuple(Condition.of(parent, given) for parent, given in conditions.items())
        return self._with("conditions", self.conditions + added)

    def per(self, count: str) -> Self:
        """Return a copy that is repeated: its value is a list, as long as the parameter `count` says.

        Raises:
            InvalidDeclaration: `count` is not a name, or the parameter is repeated already.
        """
        return self._with("counts", (*self.counts, count))

    def _with(self, attribute: str, value: object) -> Self:
        twin = copy.copy(self)
        object.__setattr__(twin, attribute, value)
        twin.__post_init__()
        return twin

    @property
    def count(self) -> str | None:
        """The name of the parameter that says how often this one is repeated, if it is."""
        return next((each for each in self.counts if isinstance(each, str)), None)

    def problems(self) -> list[str]:
        """Return all that is wrong with the declaration, seen by itself."""
        problems = self.own_problems()
        for condition in self.conditions:
            problems += condition.problems()
        if len(self.counts) > 1:
            names = " and ".join(shown(each) for each in self.counts)
            problems.append(f"The parameter is repeated per {names}, but must be per one: keep one.")
        elif not all(isinstance(each, str) for each in self.counts):
            problems.append(mistake("per", self.counts[0], "a parameter's name", 'write .per("layers")'))
        return problems

    @abstractmethod
    def own_problems(self) -> list[str]:
        """Return what is wrong with the values, conditions and repetition left aside."""

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Return what the parameter was made of; what is at its default is left out."""

    @abstractmethod
    def grid(self) -> Grid | None:
        """Return all values in order, without copying any, or None when they are a continuum."""

    @abstractmethod
    def position(self, value: Any) -> int | None:
        """Return where on the grid the value lies, or None when it is not one of the values."""

    @abstractmethod
    def describe(self) -> str:
        """Return the values in a few words: `16 … 128 step 16`."""

    @property
    def size(self) -> int | None:
        """The number of values, or None when they are a continuum."""
        grid = self.grid()
        return None if grid is None else len(grid)

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw a value: uniform over the grid unless the class says otherwise."""
        grid = self.grid()
        if grid is None:
            raise NotImplementedError(f"{type(self).__name__} has a continuum of values and must draw itself")
        return grid[int(rng.integers(len(grid)))]

    def problem_with(self, value: Any) -> str | None:
        """Return why the value is not one of the parameter's, in words that follow its name, or None."""
        return None if self.position(value) is not None else f"is {shown(value)}, but must be {self.rule()}"

    def rule(self) -> str:
        """Return what a value must be, in words that follow "must be"."""
        return f"one of {self.describe()}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parameter) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        given = ((each.parent, identity(each.given)) for each in self.conditions)
        return type(self), identity(self.arguments()), tuple(given), self.counts

    def __repr__(self) -> str:
        conditions = ", ".join(f"{each.parent}={each.given!r}" for each in self.conditions)
        return (
            f"{type(self).__name__}({self._typed_arguments()})"
            + (f".when({conditions})" if conditions else "")
            + "".join(f".per({each!r})" for each in self.counts)
        )

    def _typed_arguments(self) -> str:
        arguments = self.arguments()
        positional = [repr(arguments.pop(name)) for name in ("lower", "upper", "value") if name in arguments]
        return ", ".join(positional + [f"{name}={value!r}" for name, value in arguments.items()])
