"""SearchSpace: what an experiment searches, and all that can be asked of it."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from search_spaces.checked import Checked, InvalidDeclaration, deferring
from search_spaces.config_rules import config_problems
from search_spaces.counting import count_configurations
from search_spaces.enumeration import enumerate_configurations
from search_spaces.messages import shown
from search_spaces.parameters import Parameter, parameter_from_json, parameter_to_json
from search_spaces.parameters.grids import Grid
from search_spaces.slots import Layout, Slot
from search_spaces.space_rules import space_problems
from search_spaces.table import table
from search_spaces.walk import assemble, look_up

Config = dict[str, Any]


@dataclass(frozen=True, init=False, repr=False, eq=False)
class SearchSpace(Checked):
    """The parameters of an experiment, by name.

    A configuration is a plain dict, in declaration order, of the active parameters only. A parameter is
    active when all parents of its `when` and `per` are, and have the right values. The value of a parameter
    that is repeated `per` another is a list, and a list of lists when that other one is repeated itself. When
    a condition looks at a repeated parent, it is asked for each element, and None stands where it fails.

    Raises:
        InvalidDeclaration: Anything is wrong with the parameters or with how they depend on each other;
            all mistakes are listed.
    """

    _parameters: Mapping[str, Parameter]

    def __init__(self, /, **parameters: Parameter) -> None:
        object.__setattr__(self, "_parameters", parameters)
        self.__post_init__()

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters by name, in declaration order, read-only."""
        return MappingProxyType(self._parameters)

    def problems(self) -> list[str]:
        """Return all that is wrong with the declaration, each mistake named by its parameter."""
        return space_problems(self._parameters)

    @cached_property
    def _layout(self) -> Layout:
        return Layout(self._parameters)

    def slots(self) -> tuple[Slot, ...]:
        """Return every slot that there can be, with the largest counts, in declaration order."""
        return tuple(self._layout.slots.values())

    @cached_property
    def size(self) -> int | float:
        """The exact number of configurations; `math.inf` when a parameter has a continuum of values."""
        return count_configurations(self._layout)

    def assemble(self, choose: Callable[[Slot], Any]) -> Config:
        """Return the configuration that results from choosing a value for each active slot, parents first.

        Args:
            choose: Called once for each active slot; must return one of its values, of which a copy is taken.
        """
        return assemble(self._layout, choose)

    def sample(self, rng: np.random.Generator) -> Config:
        """Draw a configuration: each active slot independently, as its parameter declares."""
        return self.assemble(lambda slot: slot.parameter.sample(rng))

    def grid(self) -> Iterator[Config]:
        """Iterate lazily over all configurations, the last parameter varying fastest.

        Raises:
            InvalidDeclaration: A parameter has a continuum of values.
        """
        if self.size == math.inf:
            raise InvalidDeclaration(
                f"{name}: Its values {parameter.describe()} are a continuum, but a grid needs a finite"
                " set: give it a step, or make it a Choice."
                for name, parameter in self._parameters.items()
                if parameter.size is None
            )
        return enumerate_configurations(self._layout, lambda slot: slot.parameter.grid())

    def grid_of(self, values: Callable[[Slot], Grid]) -> Iterator[Config]:
        """Iterate lazily over all configurations with some values only, the last parameter varying fastest.

        Args:
            values: Called for active slots; must return some of its values: one holds the slot at that value.
        """
        return enumerate_configurations(self._layout, values)

    def validate(self, config: object) -> list[str]:
        """Return every reason why this is not a configuration of the space; none when it is."""
        return config_problems(self._layout, config)

    def contains(self, config: object) -> bool:
        """Return whether this is a configuration of the space."""
        return not self.validate(config)

    def flatten(self, config: Config) -> dict[str, Any]:
        """Return the values of a configuration by label, those of active slots only.

        Raises:
            ValueError: It is not a configuration of the space.
        """
        if problems := self.validate(config):
            raise ValueError("\n".join(problems))
        labelled: dict[str, Any] = {}

        def choose(slot: Slot) -> Any:
            labelled[slot.label] = value = look_up(config, slot)
            return value

        self.assemble(choose)
        return labelled

    def unflatten(self, labelled: Mapping[str, Any]) -> Config:
        """Return the configuration with these values; values of inactive or unknown labels are ignored.

        Raises:
            ValueError: The value of an active slot is missing, or is not one of its values.
        """

        def choose(slot: Slot) -> Any:
            if slot.label not in labelled:
                raise ValueError(f"{slot.label} is missing, but must be {slot.parameter.rule()}.")
            if reason := slot.parameter.problem_with(labelled[slot.label]):
                raise ValueError(f"{slot.label} {reason}.")
            return labelled[slot.label]

        return self.assemble(choose)

    def to_json(self) -> dict[str, Any]:
        """Return the declaration as JSON: a list, because the order matters and JSON objects have none."""
        return {
            "parameters": [
                {"name": name, **parameter_to_json(parameter)} for name, parameter in self._parameters.items()
            ]
        }

    @classmethod
    def from_json(cls, data: object) -> "SearchSpace":
        """Return the space that `to_json` wrote.

        Raises:
            InvalidDeclaration: The data is not of that form, or the space it describes is invalid.
        """
        entries = data.get("parameters") if isinstance(data, dict) else None
        if not isinstance(entries, list):
            form = "a dict with a list of `parameters`"
            raise InvalidDeclaration([f"The space is {shown(data)}, but must be {form}: see SearchSpace.to_json."])
        parameters: dict[str, Parameter] = {}
        problems: list[str] = []
        for entry in entries:
            fields = dict(entry) if isinstance(entry, dict) else {}
            name = fields.pop("name", None)
            if not isinstance(name, str) or name in parameters:
                problems.append(f"A parameter is {shown(entry)}, but must be a dict with a `name` of its own.")
                continue
            try:
                with deferring():
                    parameters[name] = parameter_from_json(fields)
            except InvalidDeclaration as error:
                problems += [f"{name}: {each}" for each in error.problems]
        if problems:
            raise InvalidDeclaration(problems)
        return cls(**parameters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SearchSpace) and self._items() == other._items()

    def _items(self) -> tuple[tuple[str, Parameter], ...]:
        return tuple(self._parameters.items())

    def __hash__(self) -> int:
        return hash(self._items())

    def __repr__(self) -> str:
        return f"SearchSpace({', '.join(f'{name}={each!r}' for name, each in self._items())})"

    def __str__(self) -> str:
        return table(self._parameters, self.size)
