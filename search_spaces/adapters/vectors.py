"""A space as vectors: configurations that are alike lie close together.

An active number is a position in its range, from 0 to 1: in the logarithm if the range was declared so, by its index on
the grid if it has steps. Categories are the corners of a simplex. Slots that can be inactive are embedded as in the arc
kernel (Swersky, Duvenaud, Snoek, Hutter and Osborne 2014, "Raiders of the Lost Architecture"): an inactive slot is the
origin, and an active number is a point on an arc around it. So any stationary kernel of these vectors is a kernel of
the space. A slot that one of two configurations does not have makes them neither alike nor unlike. The arc is a sixth
of a circle: its ends are as far from each other as from the origin, and that distance is 1, as between any two
categories.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.json_values import identity
from search_spaces.parameters import Float, Int, Parameter
from search_spaces.slots import Slot, value_at
from search_spaces.space import Config, SearchSpace

_ARC = math.pi / 3
_CORNER = math.sqrt(0.5)  # the corners of a simplex of side 1


@dataclass(frozen=True)
class Vectors:
    """The vectors of a space's configurations.

    Two configurations have the same vector only if they are the same, up to the rounding of floats.

    Attributes:
        space: A valid space.
    """

    space: SearchSpace

    @cached_property
    def columns(self) -> dict[str, slice]:
        """The columns of each slot by label; a slot with a single value needs none."""
        columns, start = {}, 0
        for slot in self.space.slots():
            if slot.parameter.size != 1:
                columns[slot.label] = slice(start, start := start + _slot_width(slot))
        return columns

    @property
    def width(self) -> int:
        """The number of numbers in a vector."""
        return max((columns.stop for columns in self.columns.values()), default=0)

    @cached_property
    def owners(self) -> NDArray[np.intp]:
        """The number of each column's parameter, from 0. Elements of a list share it. Shape: (width,)."""
        names = [slot.name for slot in self.space.slots() for _ in range(self._width_of(slot))]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        return np.array([numbers[name] for name in names], dtype=np.intp)

    def embed(self, configs: Sequence[Config]) -> NDArray[np.float64]:
        """Return the vectors of valid configurations.

        Args:
            configs: Configurations of the space.

        Returns:
            One row for each configuration. Shape: (configurations, width).
        """
        if self._is_told_by_none:
            rows = np.zeros((len(configs), self.width))
            for row, config in zip(rows, configs, strict=True):
                self._fill(row, config)
            return rows
        table = [[number for reader in self._readers for number in reader(config)] for config in configs]
        return np.array(table, dtype=np.float64).reshape(len(configs), self.width)

    @cached_property
    def _is_told_by_none(self) -> bool:
        """True if None in a list may be a value, or an element that is not active: only a walk tells which."""
        return any(
            slot.index and slot.parameter.conditions and slot.parameter.index_of(None) is not None
            for slot in self.space.slots()
        )

    @cached_property
    def _coordinates(self) -> dict[str, Callable[[Any], Sequence[float]]]:
        """The functions from values to coordinates, by the labels of the slots that have columns."""
        return {slot.label: _coordinates(slot) for slot in self.space.slots() if slot.label in self.columns}

    @cached_property
    def _readers(self) -> list[Callable[[Config], Sequence[float]]]:
        """The functions from configurations to the coordinates of each slot that has columns."""
        return [
            _reader(slot, self._coordinates[slot.label]) for slot in self.space.slots() if slot.label in self.columns
        ]

    def _width_of(self, slot: Slot) -> int:
        columns = self.columns.get(slot.label)
        return columns.stop - columns.start if columns else 0

    def _fill(self, row: NDArray[np.float64], config: Config) -> None:
        def choose(slot: Slot) -> Any:
            value = value_at(config, slot)
            if columns := self.columns.get(slot.label):
                row[columns] = self._coordinates[slot.label](value)
            return value

        self.space.assemble(choose)


def is_number(parameter: Parameter) -> bool:
    """Return whether the values have an order and distances: ranges do, listed values do not."""
    return isinstance(parameter, Int | Float)


def position_of(parameter: Parameter, value: Any) -> float:
    """Return the position of a number between the ends of its range, from 0 to 1."""
    return _positions(parameter)(value)


def number_at(parameter: Parameter, position: float) -> Any:
    """Return the number nearest to a position; below 0 and above 1, that is an end of the range."""
    position = min(max(position, 0.0), 1.0)
    match parameter:
        case Int(lower, upper, None, log) | Float(lower, upper, None, log):
            scale = _scale(lower, upper, log)
            scaled = scale(lower) + position * (scale(upper) - scale(lower))
            number = math.exp(scaled) if scale is math.log else scaled
            return min(max(round(number) if isinstance(parameter, Int) else float(number), lower), upper)
    grid = parameter.grid() or ()
    return grid[round(position * (len(grid) - 1))]


def _scale(lower: float, upper: float, log: bool) -> Callable[[float], float]:
    # Neighbouring floats may have the same logarithm.
    return math.log if log and math.log(lower) < math.log(upper) else float


def _can_be_inactive(parameter: Parameter) -> bool:
    return bool(parameter.conditions or parameter.counts)


def _slot_width(slot: Slot) -> int:
    if is_number(slot.parameter):
        return 2 if _can_be_inactive(slot.parameter) else 1
    return slot.parameter.size or 0


def _positions(parameter: Parameter) -> Callable[[Any], float]:
    """Return the function from a number to its position between the ends of its range."""
    match parameter:
        case Int(lower, upper, None, log) | Float(lower, upper, None, log):
            scale = _scale(lower, upper, log)
            start, length = scale(lower), scale(upper) - scale(lower)
            return lambda value: (scale(value) - start) / length
    last = (parameter.size or 0) - 1
    return lambda value: (parameter.index_of(value) or 0) / last


def _coordinates(slot: Slot) -> Callable[[Any], Sequence[float]]:
    """Return the function from a value of a slot to its coordinates."""
    parameter = slot.parameter
    if not is_number(parameter):
        indices = {identity(value): index for index, value in enumerate(parameter.grid() or ())}
        return lambda value: _corner(indices[identity(value)], len(indices))
    position = _positions(parameter)
    if not _can_be_inactive(parameter):
        return lambda value: (position(value),)
    return lambda value: (math.sin(_ARC * (part := position(value))), math.cos(_ARC * part))


def _corner(chosen: int, corners: int) -> list[float]:
    """Return a corner of the simplex."""
    coordinates = [0.0] * corners
    coordinates[chosen] = _CORNER
    return coordinates


def _reader(slot: Slot, coordinates: Callable[[Any], Sequence[float]]) -> Callable[[Config], Sequence[float]]:
    """Return the function from a configuration to the coordinates of a slot: the origin if it is not active."""
    name, index, origin = slot.name, slot.index, (0.0,) * _slot_width(slot)
    is_conditional = bool(slot.parameter.conditions)
    if not slot.parameter.conditions and not slot.parameter.counts:
        return lambda config: coordinates(config[name])

    def read(config: Config) -> Sequence[float]:
        if name not in config:
            return origin
        value = config[name]
        for number in index:
            if value is None or number >= len(value):
                return origin
            value = value[number]
        return origin if value is None and index and is_conditional else coordinates(value)

    return read
