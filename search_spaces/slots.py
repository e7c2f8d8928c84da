"""How the parameters of a space hang together: their order, their repetition, and every slot for a value."""

import itertools
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from search_spaces.json_values import identity
from search_spaces.parameters.base import Parameter

SlotKey = tuple[str, tuple[int, ...]]
"""Where a value stands in a configuration: the parameter's name, and an index a level of lists."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One value to be chosen.

    Attributes:
        label: Its name where names must be flat: "units_2", or "units_1_0" in a list of lists.
        name: The parameter's name.
        index: Where the value stands in the lists of a repeated parameter; empty for any other.
        parameter: What the value may be.
    """

    label: str
    name: str
    index: tuple[int, ...]
    parameter: Parameter


class Gate(NamedTuple):
    """Lets a parameter be active only where `parent` has one of the accepted values, named by identity."""

    parent: str
    accepted: frozenset[Hashable]


class Requirement(NamedTuple):
    """Lets a slot be active only where the value at the place `parent` is an accepted one."""

    parent: SlotKey
    accepted: frozenset[Hashable]


def label(name: str, index: tuple[int, ...]) -> str:
    """Return the flat name of a place: "units_2"."""
    return "_".join([name, *map(str, index)])


def parents(parameter: Parameter) -> list[str]:
    """Return the names of the parameters that decide whether, and how often, this one is active."""
    conditions = [each.parent for each in parameter.conditions]
    return conditions if parameter.count is None else [*conditions, parameter.count]


def dependency_order(parameters: Mapping[str, Parameter]) -> list[str]:
    """Return the names, parents first, otherwise as declared; those on or behind a cycle are left out."""
    needs = {name: parameters.keys() & set(parents(each)) for name, each in parameters.items()}
    placed: dict[str, None] = {}
    waiting = list(parameters)
    while True:
        ready = next((each for each in waiting if needs[each] <= placed.keys()), None)
        if ready is None:
            return list(placed)
        placed[ready] = None
        waiting.remove(ready)


def counts_above(parameters: Mapping[str, Parameter], name: str) -> tuple[str, ...]:
    """Return the parameters whose values are the lengths of this one's lists, the outermost first."""
    chain: list[str] = []
    count = parameters[name].count
    while count is not None:
        chain.insert(0, count)
        count = parameters[count].count
    return tuple(chain)


@dataclass(frozen=True)
class Layout:
    """The structure of a valid space, worked out once.

    Args:
        parameters: By name, in declaration order.
    """

    parameters: Mapping[str, Parameter]

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The names in the order in which values can be chosen: parents first, otherwise as declared."""
        return tuple(dependency_order(self.parameters))

    @cached_property
    def counts(self) -> dict[str, tuple[str, ...]]:
        """For each name the parameters that are the lengths of its lists, the outermost first."""
        return {name: counts_above(self.parameters, name) for name in self.parameters}

    @cached_property
    def gates(self) -> dict[str, tuple[Gate, ...]]:
        """For each name its conditions, resolved to values of the parents."""
        return {name: tuple(self._gates_of(parameter)) for name, parameter in self.parameters.items()}

    def _gates_of(self, parameter: Parameter) -> Iterator[Gate]:
        for condition in parameter.conditions:
            accepted = condition.accepted(self.parameters[condition.parent])
            yield Gate(condition.parent, frozenset(identity(each) for each in accepted))

    @cached_property
    def slots(self) -> dict[SlotKey, Slot]:
        """Every slot that there can be, with the largest counts, in declaration order."""
        return {
            (name, index): Slot(label(name, index), name, index, parameter)
            for name, parameter in self.parameters.items()
            for index in itertools.product(*(range(self.most(count)) for count in self.counts[name]))
        }

    def most(self, count: str) -> int:
        """Return the largest value of a parameter that counts."""
        grid = self.parameters[count].grid()
        if isinstance(grid, range):
            return grid[-1]  # max() would walk through all of it
        return max(grid) if grid is not None else 0

    def depth(self, name: str) -> int:
        """Return how many levels of lists the parameter's value has."""
        return len(self.counts[name])

    def closing_parent(self, name: str, index: tuple[int, ...], values: Mapping[SlotKey, Any]) -> str | None:
        """Return the parent because of which nothing of the parameter is active at an index, or None.

        The index may be shorter than the parameter's lists are deep: then the question is about a whole list.
        Parents that are repeated more deeply are asked further down.
        """
        for parent, accepted in self.gates[name]:
            place = (parent, index)
            if self.depth(parent) == len(index) and not (place in values and identity(values[place]) in accepted):
                return parent
        if len(index) < self.depth(name):
            count = self.counts[name][len(index)]
            return None if (count, index) in values else count
        return None

    def requirements(self, place: SlotKey) -> list[Requirement]:
        """Return all that must hold for the slot at a place to be active."""
        name, index = place
        gates = [Requirement((parent, index[: self.depth(parent)]), accepted) for parent, accepted in self.gates[name]]
        lengths = [
            Requirement((count, index[:level]), self._reaching(count, index[level]))
            for level, count in enumerate(self.counts[name])
        ]
        return gates + lengths

    def _reaching(self, count: str, index: int) -> frozenset[Hashable]:
        return frozenset(identity(value) for value in self.parameters[count].grid() or () if value > index)
