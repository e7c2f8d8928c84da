"""The slots of a space: the values that a configuration can have, their dependencies, and the walk that fills them."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from search_spaces.json_values import identity
from search_spaces.parameters.base import Parameter

SlotKey = tuple[str, tuple[int, ...]]
"""The key of a slot: the parameter's name, and one index for each level of lists around the value."""

ABSENT = object()
"""Stands for a value that a configuration does not have, because its parameter is not active."""

_IMMUTABLE = frozenset({int, float, str, bool, type(None)})


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot for one value of a configuration.

    A parameter that is not repeated has one slot. A repeated parameter has a slot for each element of its list.

    Attributes:
        label: The slot's flat name: "units_2", or "units_1_0" in a list of lists.
        name: The parameter's name.
        index: The index of the value in each level of lists; empty if the parameter is not repeated.
        parameter: The declaration of the slot's values.

    Example:
        >>> from search_spaces import Int, SearchSpace
        >>> space = SearchSpace(layers=Int(1, 2), units=Int(16, 64).per("layers"))
        >>> [slot.label for slot in space.slots()]
        ['layers', 'units_0', 'units_1']
        >>> space.slots()[2]
        Slot(label='units_1', name='units', index=(1,), parameter=Int(16, 64).per('layers'))
    """

    label: str
    name: str
    index: tuple[int, ...]
    parameter: Parameter


class ParentRule(NamedTuple):
    """A rule that a parameter is active only where a parent has one of the accepted values.

    Attributes:
        parent: The parent's name.
        accepted: The identities of the accepted values.
    """

    parent: str
    accepted: frozenset[Hashable]


class SlotRule(NamedTuple):
    """A rule that a slot is active only where another slot has one of the accepted values.

    Attributes:
        parent: The key of the other slot.
        accepted: The identities of the accepted values.
    """

    parent: SlotKey
    accepted: frozenset[Hashable]


def slot_label(key: SlotKey) -> str:
    """Return the flat name of a slot, or of a whole list: "units_2"."""
    name, index = key
    return "_".join([name, *map(str, index)])


def parents_of(parameter: Parameter) -> list[str]:
    """Return the names of the parameters that decide whether, and how often, a parameter is active."""
    parents = [condition.parent for condition in parameter.conditions]
    return parents if parameter.count is None else [*parents, parameter.count]


def parents_first(parameters: Mapping[str, Parameter]) -> list[str]:
    """Return the names with parents before children, otherwise as declared.

    Parameters in a cycle of dependencies, or behind one, are left out.
    """
    parents = {name: parameters.keys() & set(parents_of(parameter)) for name, parameter in parameters.items()}
    ordered: dict[str, None] = {}
    remaining = list(parameters)
    while True:
        ready = next((name for name in remaining if parents[name] <= ordered.keys()), None)
        if ready is None:
            return list(ordered)
        ordered[ready] = None
        remaining.remove(ready)


def counts_of(parameters: Mapping[str, Parameter], name: str) -> tuple[str, ...]:
    """Return the parameters whose values are the lengths of a parameter's lists, the outermost first."""
    chain: list[str] = []
    count = parameters[name].count
    while count is not None:
        chain.insert(0, count)
        count = parameters[count].count
    return tuple(chain)


@dataclass(frozen=True)
class SpaceStructure:
    """The structure of a valid space: the order of its parameters, their dependencies, and all slots.

    Everything is computed once, when it is first needed.

    Attributes:
        parameters: The parameters by name, in declaration order.
    """

    parameters: Mapping[str, Parameter]

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The names in the order in which values can be chosen: parents first, otherwise as declared."""
        return tuple(parents_first(self.parameters))

    @cached_property
    def counts(self) -> dict[str, tuple[str, ...]]:
        """The parameters whose values are the lengths of each parameter's lists, the outermost first."""
        return {name: counts_of(self.parameters, name) for name in self.parameters}

    @cached_property
    def parent_rules(self) -> dict[str, tuple[ParentRule, ...]]:
        """The conditions of each parameter, resolved to values of the parents."""
        return {name: tuple(self._rules_of(parameter)) for name, parameter in self.parameters.items()}

    def _rules_of(self, parameter: Parameter) -> Iterator[ParentRule]:
        for condition in parameter.conditions:
            accepted = condition.accepted(self.parameters[condition.parent])
            yield ParentRule(condition.parent, frozenset(identity(value) for value in accepted))

    @cached_property
    def walk(self) -> tuple[tuple[SlotKey, Slot | None], ...]:
        """The parameters in their order, each with its slot if it is always active and not repeated, else None."""
        return tuple(
            ((name, ()), None if self.parent_rules[name] or self.counts[name] else self.slots[name, ()])
            for name in self.order
        )

    @cached_property
    def slots(self) -> dict[SlotKey, Slot]:
        """Every slot that a configuration can have, with the largest counts, in declaration order."""
        return {
            (name, index): Slot(slot_label((name, index)), name, index, parameter)
            for name, parameter in self.parameters.items()
            for index in itertools.product(*(range(self.largest(count)) for count in self.counts[name]))
        }

    def largest(self, count: str) -> int:
        """Return the largest value of a parameter that is the length of lists."""
        grid = self.parameters[count].grid()
        if isinstance(grid, range):
            return grid[-1]  # max() would walk through all of it
        return max(grid) if grid is not None else 0

    def list_depth(self, name: str) -> int:
        """Return the number of levels of lists in a parameter's value; 0 if it is not repeated."""
        return len(self.counts[name])

    def deactivating_parent(self, key: SlotKey, values: Mapping[SlotKey, Any]) -> str | None:
        """Return the parent that keeps a slot, or a whole list, from being active; None if nothing does.

        Args:
            key: The slot. If its index is shorter than the parameter's lists are deep, it stands for a whole list. Then
                parents that are repeated more deeply are not considered: they decide about single elements.
            values: The values of the parents' active slots.
        """
        name, index = key
        for parent, accepted in self.parent_rules[name]:
            parent_key = (parent, index)
            if self.list_depth(parent) == len(index) and not (
                parent_key in values and identity(values[parent_key]) in accepted
            ):
                return parent
        if len(index) < self.list_depth(name):
            count = self.counts[name][len(index)]
            return None if (count, index) in values else count
        return None

    def slot_rules(self, key: SlotKey) -> list[SlotRule]:
        """Return all rules that must hold for a slot to be active."""
        name, index = key
        conditions = [
            SlotRule((parent, index[: self.list_depth(parent)]), accepted)
            for parent, accepted in self.parent_rules[name]
        ]
        lengths = [
            SlotRule((count, index[:level]), self._lengths_beyond(count, index[level]))
            for level, count in enumerate(self.counts[name])
        ]
        return conditions + lengths

    def _lengths_beyond(self, count: str, index: int) -> frozenset[Hashable]:
        return frozenset(identity(length) for length in self.parameters[count].grid() or () if length > index)


def assemble(structure: SpaceStructure, choose: Callable[[Slot], Any]) -> dict[str, Any]:
    """Return the configuration that results from choosing a value for each active slot, in declaration order.

    This is the only walk through a space; samples, grids, and translations into other terms are all built on it.

    Args:
        structure: The structure of the space.
        choose: Called once for each active slot, parents before children. It must return one of the slot's values. The
            configuration gets a copy of it, so that no trial can change the space.
    """
    values: dict[SlotKey, Any] = {}
    built: dict[str, Any] = {}
    for key, slot in structure.walk:
        if slot is None:
            built[key[0]] = _build(structure, key, values, choose)
        else:  # most parameters are plain, and a searcher assembles hundreds of configurations for a proposal
            built[key[0]] = values[key] = _copied(choose(slot))
    return {name: built[name] for name in structure.parameters if built[name] is not ABSENT}


def _build(structure: SpaceStructure, key: SlotKey, values: dict[SlotKey, Any], choose: Callable[[Slot], Any]) -> Any:
    """Return the value of a slot, or a whole list, and add each chosen value to ``values``."""
    name, index = key
    if structure.deactivating_parent(key, values) is not None:
        return ABSENT
    if len(index) == structure.list_depth(name):
        values[key] = _copied(choose(structure.slots[key]))
        return values[key]
    length = values[structure.counts[name][len(index)], index]
    elements = [_build(structure, (name, (*index, number)), values, choose) for number in range(length)]
    # An inactive element becomes None, so that the others keep the same index as their parents.
    return [None if element is ABSENT else element for element in elements]


def _copied(value: Any) -> Any:
    return value if type(value) in _IMMUTABLE else copy.deepcopy(value)


def value_at(config: Mapping[str, Any], slot: Slot) -> Any:
    """Return the value of an active slot in a valid configuration."""
    value = config[slot.name]
    for number in slot.index:
        value = value[number]
    return value
