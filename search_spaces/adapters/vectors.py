"""A space as vectors, in which configurations that resemble each other lie close together.

An active number stands at its place in its range, from 0 to 1: in the logarithm where that was declared, by its place
on the grid where it has steps. Categories are the corners of a simplex. What may be inactive is embedded as in the arc
kernel (Swersky, Duvenaud, Snoek, Hutter and Osborne 2014, "Raiders of the Lost Architecture"): an inactive slot is the
origin, an active number a point on an arc around it, so that any stationary kernel of these vectors is a
kernel of the space, and what a configuration does not have makes it neither like nor unlike another. The arc is a sixth
of a circle: its ends are as far from each other as from the origin, and that is 1, as between any two categories.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.parameters import Float, Int, Parameter
from search_spaces.slots import Slot
from search_spaces.space import SearchSpace
from search_spaces.walk import look_up

_ARC = math.pi / 3
_CORNER = math.sqrt(0.5)  # the corners of a simplex of side 1


@dataclass(frozen=True)
class Vectors:
    """The vectors of a space's configurations.

    Two configurations have the same vector only if they are the same, up to the rounding of floats.

    Args:
        space: A valid space.
    """

    space: SearchSpace

    @cached_property
    def columns(self) -> dict[str, slice]:
        """The columns of each slot by label; a slot that has but one value needs none."""
        columns, start = {}, 0
        for slot in self.space.slots():
            if slot.parameter.size != 1:
                columns[slot.label] = slice(start, start := start + _width(slot))
        return columns

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        return max((columns.stop for columns in self.columns.values()), default=0)

    @cached_property
    def owners(self) -> NDArray[np.intp]:
        """For each column the number of its parameter, from 0: the elements of a list share it. Shape: (width,)."""
        names = [slot.name for slot in self.space.slots() for _ in range(self._width(slot))]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        return np.array([numbers[name] for name in names], dtype=np.intp)

    def embed(self, configs: Sequence[dict[str, Any]]) -> NDArray[np.float64]:
        """The vectors of valid configurations. Shape: (configurations, width)."""
        rows = np.zeros((len(configs), self.width))
        for row, config in zip(rows, configs, strict=True):
            self._fill(row, config)
        return rows

    def _width(self, slot: Slot) -> int:
        columns = self.columns.get(slot.label)
        return columns.stop - columns.start if columns else 0

    def _fill(self, row: NDArray[np.float64], config: dict[str, Any]) -> None:
        def choose(slot: Slot) -> Any:
            value = look_up(config, slot)
            if columns := self.columns.get(slot.label):
                row[columns] = _coordinates(slot, value)
            return value

        self.space.assemble(choose)


def is_number(parameter: Parameter) -> bool:
    """Whether the values have an order and distances: those of ranges do, listed ones do not."""
    return isinstance(parameter, Int | Float)


def place(parameter: Parameter, value: Any) -> float:
    """Where a number lies between the ends of its range, from 0 to 1."""
    match parameter:
        case Int(lower, upper, None, log) | Float(lower, upper, None, log):
            scale = _scale(lower, upper, log)
            return (scale(value) - scale(lower)) / (scale(upper) - scale(lower))
    return (parameter.position(value) or 0) / ((parameter.size or 0) - 1)


def number_at(parameter: Parameter, where: float) -> Any:
    """The number nearest to a place; beyond 0 and 1 there are the ends of the range."""
    where = min(max(where, 0.0), 1.0)
    match parameter:
        case Int(lower, upper, None, log) | Float(lower, upper, None, log):
            scale = _scale(lower, upper, log)
            scaled = scale(lower) + where * (scale(upper) - scale(lower))
            number = math.exp(scaled) if scale is math.log else scaled
            return min(max(round(number) if isinstance(parameter, Int) else float(number), lower), upper)
    grid = parameter.grid() or ()
    return grid[round(where * (len(grid) - 1))]


def _scale(lower: float, upper: float, log: bool) -> Callable[[float], float]:
    # Neighbouring floats may have the same logarithm.
    return math.log if log and math.log(lower) < math.log(upper) else float


def _may_be_inactive(parameter: Parameter) -> bool:
    return bool(parameter.conditions or parameter.counts)


def _width(slot: Slot) -> int:
    if is_number(slot.parameter):
        return 2 if _may_be_inactive(slot.parameter) else 1
    return slot.parameter.size or 0


def _coordinates(slot: Slot, value: Any) -> Sequence[float]:
    parameter = slot.parameter
    if not is_number(parameter):
        position = parameter.position(value)
        return [_CORNER if each == position else 0.0 for each in range(parameter.size or 0)]
    where = place(parameter, value)
    if not _may_be_inactive(parameter):
        return [where]
    return [math.sin(_ARC * where), math.cos(_ARC * where)]
