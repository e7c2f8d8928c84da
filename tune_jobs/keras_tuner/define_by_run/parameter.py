"""The base of KerasTuner's hyperparameters, and their conditions."""

from __future__ import annotations

import copy
import re
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from search_spaces import Parameter
from search_spaces.json_values import identity, plain_copy


@dataclass(frozen=True)
class Parent:
    """A condition: a hyperparameter is active only where its parent has one of some values.

    Attributes:
        name: The parent's name.
        values: The values of the parent.
    """

    name: str
    values: tuple[Any, ...]

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether the parent has one of the values."""
        if self.name not in values:
            return False
        now = identity(plain(values[self.name]))
        return any(identity(plain(value)) == now for value in self.values)

    def get_config(self) -> dict[str, Any]:
        """Return the condition in KerasTuner's form."""
        return {"class_name": "Parent", "config": {"name": self.name, "values": list(self.values)}}


class HyperParameter(ABC):
    """The base of all kinds of hyperparameters.

    Attributes:
        name: The name, with its name scopes.
        conditions: The conditional scopes around it: all of them must hold.
        parameter: The parameter of a search space with the same values.
        location: The file and line that asked for it; "" if nobody knows.
    """

    KIND: ClassVar[str]
    parameter: Parameter

    def __init__(self, name: str, default: Any = None, conditions: Sequence[Parent] = ()) -> None:
        self.name = name
        self._default = default
        self.conditions = list(conditions)
        self.location = ""

    @property
    @abstractmethod
    def default(self) -> Any:
        """The value of the first build."""

    @abstractmethod
    def _arguments(self) -> dict[str, Any]:
        """Return the arguments beside the name, the default and the conditions."""

    def get_config(self) -> dict[str, Any]:
        """Return the declaration in KerasTuner's form."""
        conditions = [condition.get_config() for condition in self.conditions]
        return {"name": self.name, "default": self.default, "conditions": conditions, **self._arguments()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the hyperparameter that ``get_config`` wrote.

        Args:
            config: What ``get_config`` returned, of this class or of KerasTuner's.
        """
        arguments = dict(config)
        conditions = [
            Parent(condition["config"]["name"], tuple(condition["config"]["values"]))
            for condition in arguments.pop("conditions", None) or []
        ]
        return cls(**arguments, conditions=conditions)

    @property
    def key(self) -> Hashable:
        """A value that two declarations share if they have the same name, kind and values."""
        return self.name, type(self).__name__, identity(plain(self._arguments()))

    def original(self, value: Any) -> Any:
        """Return a value of a configuration as the code declared it: a tuple, say, where JSON has a list."""
        return value

    def can_have(self, value: Any) -> bool:
        """Return whether the hyperparameter can have a value."""
        return self.parameter.problem_with(plain(value)) is None

    def scoped(self, conditions: Sequence[Parent]) -> HyperParameter:
        """Return a copy that is active under other conditions."""
        twin = copy.copy(self)
        twin.conditions = list(conditions)
        return twin

    def __str__(self) -> str:
        return f"{type(self).__name__}({self.parameter.describe()})"

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HyperParameter) and (self.key, self.conditions) == (other.key, other.conditions)


def identifier(name: str) -> str:
    """Return the name of a hyperparameter as a Python identifier."""
    plain_name = re.sub(r"\W", "_", name)
    return plain_name if plain_name.isidentifier() else f"_{plain_name}"


def late_names(name: str) -> tuple[str, str]:
    """Return the names that the parameter of a hyperparameter may have that is met late: the second if one is taken."""
    return identifier(name), f"{identifier(name)}_2"


def plain(value: Any) -> Any:
    """Return a value as JSON would have it; NumPy's numbers become Python's."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [plain(element) for element in value]
    if isinstance(value, dict):
        return {key: plain(element) for key, element in value.items()}
    return plain_copy(value)
