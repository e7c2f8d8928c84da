"""The search space of an experiment: its declaration, and everything that can be asked of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np

from search_spaces.checked import Checked, InvalidDeclaration
from search_spaces.counting import count_configurations
from search_spaces.enumeration import enumerate_configurations
from search_spaces.parameters import Parameter, parameters_from_json, parameters_to_json
from search_spaces.parameters.grids import ValueGrid
from search_spaces.slots import Slot, SpaceStructure, assemble, value_at
from search_spaces.table import table
from search_spaces.validation import config_problems, space_problems

Config = dict[str, Any]
"""A configuration: the values of the active parameters by name, in declaration order."""


@dataclass(frozen=True, init=False, repr=False, eq=False)
class SearchSpace(Checked):
    """The parameters of an experiment, by name.

    A configuration is a plain dict of the active parameters only, in declaration order. A parameter is active if all
    parents in its ``when`` and ``per`` are active and have the right values.

    The value of a repeated parameter is a list, or a list of lists if the parameter that it is repeated ``per`` is
    repeated itself. A condition on a repeated parent is checked for each element; an element whose condition fails is
    None.

    Args:
        **parameters: The parameters by name.

    Raises:
        InvalidDeclaration: A parameter is wrong, or the way in which parameters depend on each other; all mistakes are
            listed.

    Example:
        >>> from search_spaces import Choice, Float, Int, SearchSpace
        >>> space = SearchSpace(
        ...     layers=Int(1, 2),
        ...     units=Choice(32, 64).per("layers"),
        ...     optimizer=Choice("adam", "sgd"),
        ...     momentum=Float(0.0, 0.9, step=0.9).when(optimizer="sgd"),
        ... )
        >>> print(space)
        name       kind    values            number  active
        layers     Int     1 … 2             2       always
        units      Choice  32, 64            2       per layers
        optimizer  Choice  'adam', 'sgd'     2       always
        momentum   Float   0 … 0.9 step 0.9  2       when optimizer = 'sgd'
        <BLANKLINE>
        4 parameters, 18 configurations
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
        """Return every mistake in the declaration; each text begins with the parameter's name."""
        return space_problems(self._parameters)

    @cached_property
    def _structure(self) -> SpaceStructure:
        return SpaceStructure(self._parameters)

    def slots(self) -> tuple[Slot, ...]:
        """Return every slot that a configuration can have, with the largest counts, in declaration order."""
        return tuple(self._structure.slots.values())

    @cached_property
    def size(self) -> int | float:
        """The exact number of configurations; ``math.inf`` if a parameter has a continuum of values."""
        return count_configurations(self._structure)

    def assemble(self, choose: Callable[[Slot], Any]) -> Config:
        """Return the configuration that results from choosing a value for each active slot, parents first.

        Args:
            choose: Called once for each active slot. It must return one of the slot's values, and a copy of it is used.

        Example:
            >>> from search_spaces import Boolean, Int, SearchSpace
            >>> space = SearchSpace(layers=Int(1, 3), bias=Boolean().per("layers"))
            >>> space.assemble(lambda slot: slot.parameter.grid()[1])
            {'layers': 2, 'bias': [True, True]}
        """
        return assemble(self._structure, choose)

    def sample(self, rng: np.random.Generator) -> Config:
        """Draw a configuration: each active slot independently of the others, as its parameter declares.

        Args:
            rng: The generator to draw from.

        Example:
            >>> import numpy as np
            >>> from search_spaces import Choice, Int, SearchSpace
            >>> space = SearchSpace(layers=Int(1, 3), units=Choice(32, 64).per("layers"))
            >>> config = space.sample(np.random.default_rng(0))
            >>> space.contains(config)
            True
        """
        return self.assemble(lambda slot: slot.parameter.sample(rng))

    def grid(self) -> Iterator[Config]:
        """Return a lazy iterator over all configurations; the last parameter varies fastest.

        Raises:
            InvalidDeclaration: A parameter has a continuum of values.

        Example:
            >>> from search_spaces import Choice, Int, SearchSpace
            >>> space = SearchSpace(layers=Int(0, 1), units=Choice(32, 64).per("layers"))
            >>> list(space.grid())
            [{'layers': 0, 'units': []}, {'layers': 1, 'units': [32]}, {'layers': 1, 'units': [64]}]
        """
        if self.size == math.inf:
            raise InvalidDeclaration(
                f"{name}: Its values {parameter.describe()} are a continuum, but a grid needs a finite"
                " set: give it a step, or make it a Choice."
                for name, parameter in self._parameters.items()
                if parameter.size is None
            )
        return enumerate_configurations(self._structure, lambda slot: slot.parameter.grid())

    def grid_of(self, values: Callable[[Slot], ValueGrid]) -> Iterator[Config]:
        """Return a lazy iterator over all configurations with some values only; the last parameter varies fastest.

        Args:
            values: Called for active slots. It must return some of the slot's values; a single value fixes the slot.

        Example:
            >>> from search_spaces import Choice, Float, SearchSpace
            >>> space = SearchSpace(optimizer=Choice("adam", "sgd"), learning_rate=Float(1e-4, 1e-1, log=True))
            >>> rates = {"learning_rate": (0.001,)}
            >>> list(space.grid_of(lambda slot: rates.get(slot.name) or slot.parameter.grid()))
            [{'optimizer': 'adam', 'learning_rate': 0.001}, {'optimizer': 'sgd', 'learning_rate': 0.001}]
        """
        return enumerate_configurations(self._structure, values)

    def validate(self, config: object) -> list[str]:
        """Return every reason why a value is not a configuration of the space; none if it is one.

        Args:
            config: The value to check; anything is allowed.

        Example:
            >>> from search_spaces import Choice, Int, SearchSpace
            >>> space = SearchSpace(layers=Int(1, 3), optimizer=Choice("adam", "sgd"))
            >>> for reason in space.validate({"layers": 4, "optimiser": "adam"}):
            ...     print(reason)
            'optimiser' is not a parameter of the space: you may have meant `optimizer`.
            layers is 4, but must be a whole number of 1 … 3.
            optimizer is missing, but must be one of 'adam', 'sgd'.
        """
        return config_problems(self._structure, config)

    def contains(self, config: object) -> bool:
        """Return whether a value is a configuration of the space.

        Args:
            config: The value to check; anything is allowed.

        Example:
            >>> from search_spaces import Float, SearchSpace
            >>> SearchSpace(dropout=Float(0.0, 0.5, step=0.1)).contains({"dropout": 0.15})
            False
        """
        return not self.validate(config)

    def flatten(self, config: Config) -> dict[str, Any]:
        """Return the values of a configuration by slot label; it has the labels of active slots only.

        Args:
            config: A configuration of the space.

        Raises:
            ValueError: It is not a configuration of the space.

        Example:
            >>> from search_spaces import Choice, Int, SearchSpace
            >>> space = SearchSpace(layers=Int(1, 3), units=Choice(32, 64).per("layers"))
            >>> space.flatten({"layers": 2, "units": [64, 32]})
            {'layers': 2, 'units_0': 64, 'units_1': 32}
        """
        if problems := self.validate(config):
            raise ValueError("\n".join(problems))
        labelled: dict[str, Any] = {}

        def choose(slot: Slot) -> Any:
            labelled[slot.label] = value = value_at(config, slot)
            return value

        self.assemble(choose)
        return labelled

    def unflatten(self, labelled: Mapping[str, Any]) -> Config:
        """Return the configuration with the given values; ``flatten`` is the inverse.

        Args:
            labelled: Values by slot label. Values of inactive slots and unknown labels are ignored.

        Raises:
            ValueError: The value of an active slot is missing, or the slot cannot have it.

        Example:
            >>> from search_spaces import Choice, Int, SearchSpace
            >>> space = SearchSpace(layers=Int(1, 3), units=Choice(32, 64).per("layers"))
            >>> space.unflatten({"layers": 2, "units_0": 64, "units_1": 32, "units_2": 32})
            {'layers': 2, 'units': [64, 32]}
        """

        def choose(slot: Slot) -> Any:
            if slot.label not in labelled:
                raise ValueError(f"{slot.label} is missing, but must be {slot.parameter.rule()}.")
            if reason := slot.parameter.problem_with(labelled[slot.label]):
                raise ValueError(f"{slot.label} {reason}.")
            return labelled[slot.label]

        return self.assemble(choose)

    def for_ray(self) -> dict[str, Any]:
        """Return the space for ``ray.tune.Tuner(param_space=…)``, with the same values.

        A number with a step becomes a choice between its values. In Ray, whole numbers of a logarithmic range are
        rounded down. If a parameter has a condition or is repeated, each name depends on one drawn number, and a
        ``KerasTrainable`` gets the active ones alone; other trainables see ``"__inactive__"`` for the rest. Ray's own
        searchers cannot search such a space.

        Example:
            >>> from search_spaces import Choice, Float, SearchSpace
            >>> space = SearchSpace(optimizer=Choice("adam", "sgd"), rate=Float(1e-4, 1e-2, log=True))
            >>> sorted(space.for_ray())
            ['optimizer', 'rate']
        """
        # By its name: this package knows neither trainables nor Ray, and only plain Ray Tune needs them.
        return dict(import_module("tune_jobs.plain_ray.space").space_for_ray(self))

    def to_json(self) -> dict[str, Any]:
        """Return the declaration as JSON.

        The parameters are a list, because their order matters and JSON objects have none.

        Example:
            >>> from search_spaces import Float, SearchSpace
            >>> SearchSpace(dropout=Float(0.0, 0.5, step=0.1)).to_json()
            {'parameters': [{'name': 'dropout', 'kind': 'Float', 'lower': 0.0, 'upper': 0.5, 'step': 0.1}]}
        """
        return parameters_to_json(self._parameters)

    @classmethod
    def from_json(cls, data: object) -> SearchSpace:
        """Return the space that ``to_json`` wrote.

        Args:
            data: The declaration as JSON.

        Raises:
            InvalidDeclaration: The data does not have that form, or the space is invalid.

        Example:
            >>> from search_spaces import Float, SearchSpace
            >>> space = SearchSpace(dropout=Float(0.0, 0.5, step=0.1))
            >>> SearchSpace.from_json(space.to_json()) == space
            True
        """
        return cls(**parameters_from_json(data))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SearchSpace) and self._items() == other._items()

    def _items(self) -> tuple[tuple[str, Parameter], ...]:
        return tuple(self._parameters.items())

    def __hash__(self) -> int:
        return hash(self._items())

    def __repr__(self) -> str:
        return f"SearchSpace({', '.join(f'{name}={parameter!r}' for name, parameter in self._items())})"

    def __str__(self) -> str:
        return table(self._parameters, self.size)
