"""The base of all kinds of parameter: values, conditions, repetition, equality, and a repr that can be typed."""

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from search_spaces.checked import Checked
from search_spaces.json_values import identity, json_problem, plain_copy
from search_spaces.messages import mistake, short_repr
from search_spaces.parameters.grids import ValueGrid


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Parameter(Checked):
    """A frozen declaration of one parameter: its values, when it is active, and how often it is repeated.

    This is the base class. Declare ``Int``, ``Float``, ``Choice``, ``Boolean`` or ``Fixed``.

    Attributes:
        conditions: The conditions of all calls of ``when``. The parameter is active where all of them hold.
        counts: The arguments of all calls of ``per``. A valid parameter has at most one.

    Example:
        >>> from search_spaces import Float, Parameter
        >>> momentum = Float(0.0, 0.99).when(optimizer="sgd")
        >>> isinstance(momentum, Parameter)
        True
        >>> momentum.problem_with(1.5)
        'is 1.5, but must be a number of 0 … 0.99'
    """

    conditions: tuple[Condition, ...] = field(default=(), kw_only=True)
    counts: tuple[str, ...] = field(default=(), kw_only=True)

    def when(self, /, **conditions: Any) -> Self:
        """Return a copy that is active only where every named parent has the given value.

        Conditions of several calls add up: all of them must hold.

        Args:
            **conditions: The value of each parent, by the parent's name. A list, tuple or set means any of its values.
                There is one exception: if the parent itself can have that list as its value, the list means this value.

        Raises:
            InvalidDeclaration: JSON cannot represent a value, or a list of values is empty.

        Example:
            >>> from search_spaces import Float
            >>> Float(0.0, 0.99).when(optimizer=["sgd", "rmsprop"])
            Float(0.0, 0.99).when(optimizer=['sgd', 'rmsprop'])
        """
        added = tuple(Condition.of(parent, expected) for parent, expected in conditions.items())
        return self._with("conditions", self.conditions + added)

    def per(self, count: str) -> Self:
        """Return a copy that is repeated: its value is a list.

        Args:
            count: The name of the parameter whose value is the length of the list.

        Raises:
            InvalidDeclaration: ``count`` is not a name, or the parameter is repeated already.

        Example:
            >>> from search_spaces import Int
            >>> Int(16, 64, step=16).per("layers")
            Int(16, 64, step=16).per('layers')
        """
        return self._with("counts", (*self.counts, count))

    def _with(self, attribute: str, value: object) -> Self:
        twin = copy.copy(self)
        object.__setattr__(twin, attribute, value)
        twin.__post_init__()
        return twin

    @property
    def count(self) -> str | None:
        """The name of the parameter whose value is the length of this one's list; None if it is not repeated."""
        return next((count for count in self.counts if isinstance(count, str)), None)

    def problems(self) -> list[str]:
        """Return every mistake in the declaration that can be seen without the rest of the space."""
        problems = self.own_problems()
        for condition in self.conditions:
            problems += condition.problems()
        if len(self.counts) > 1:
            names = " and ".join(short_repr(count) for count in self.counts)
            problems.append(f"The parameter is repeated per {names}, but must be per one: keep one.")
        elif not all(isinstance(count, str) for count in self.counts):
            problems.append(mistake("per", self.counts[0], "a parameter's name", 'write .per("layers")'))
        return problems

    @abstractmethod
    def own_problems(self) -> list[str]:
        """Return every mistake in the values, without those in the conditions and the repetition."""

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Return the arguments that the parameter was made with; those at their default are left out."""

    @abstractmethod
    def grid(self) -> ValueGrid | None:
        """Return all values in order, without copying them; None if they are a continuum."""

    @abstractmethod
    def index_of(self, value: Any) -> int | None:
        """Return the index of a value on the grid, from 0; None if it is not one of the values."""

    @abstractmethod
    def describe(self) -> str:
        """Return the values in a few words: ``16 … 128 step 16``."""

    @property
    def size(self) -> int | None:
        """The number of values; None if they are a continuum."""
        grid = self.grid()
        return None if grid is None else len(grid)

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw a value. All values of the grid are equally likely, unless the class says otherwise.

        Args:
            rng: The generator to draw from.

        Example:
            >>> import numpy as np
            >>> from search_spaces import Choice
            >>> Choice("adam", "sgd").sample(np.random.default_rng(0))
            'sgd'
        """
        grid = self.grid()
        if grid is None:
            raise NotImplementedError(f"{type(self).__name__} has a continuum of values and must draw itself")
        return grid[int(rng.integers(len(grid)))]

    def problem_with(self, value: Any) -> str | None:
        """Return why the parameter cannot have this value, in words that follow its name; None if it can."""
        return None if self.index_of(value) is not None else f"is {short_repr(value)}, but must be {self.rule()}"

    def rule(self) -> str:
        """Return the rule that a value must fulfil, in words that follow "must be"."""
        return f"one of {self.describe()}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parameter) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        conditions = ((condition.parent, identity(condition.expected)) for condition in self.conditions)
        return type(self), identity(self.arguments()), tuple(conditions), self.counts

    def __repr__(self) -> str:
        conditions = ", ".join(f"{condition.parent}={condition.expected!r}" for condition in self.conditions)
        return (
            f"{type(self).__name__}({self._typed_arguments()})"
            + (f".when({conditions})" if conditions else "")
            + "".join(f".per({count!r})" for count in self.counts)
        )

    def _typed_arguments(self) -> str:
        arguments = self.arguments()
        positional = [repr(arguments.pop(name)) for name in ("lower", "upper", "value") if name in arguments]
        return ", ".join(positional + [f"{name}={value!r}" for name, value in arguments.items()])


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a parameter: one of its parents must have an expected value.

    Attributes:
        parent: The parent's name.
        expected: The value that the parent must have, or a list of such values: any of them will do.
    """

    parent: str
    expected: Any

    @classmethod
    def of(cls, parent: str, expected: Any) -> Condition:
        """Return the condition in the form in which it is kept: with a list instead of a tuple or a set."""
        if isinstance(expected, set | frozenset):
            expected = sorted(expected, key=repr)  # the order of a set of strings differs between processes
        return cls(parent, plain_copy(expected))

    def accepted(self, parent: Parameter) -> list[Any]:
        """Return the values of the parent that fulfil the condition.

        A list means any of its values, unless the parent itself can have that list as its value: then it means this
        value.
        """
        if isinstance(self.expected, list) and parent.problem_with(self.expected) is not None:
            return self.expected
        return [self.expected]

    def problems(self) -> list[str]:
        """Return every mistake in the condition that can be seen without the parent."""
        if problem := json_problem(self.expected):
            return [f"The condition on `{self.parent}` {problem}."]
        if self.expected == []:
            return [f"The condition on `{self.parent}` lists no values: name at least one, or leave it out."]
        return []

    def __str__(self) -> str:
        if isinstance(self.expected, list):
            return f"{self.parent} in {short_repr(self.expected)}"
        return f"{self.parent} = {short_repr(self.expected)}"
