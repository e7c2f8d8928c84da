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
        rows = np.zeros((len(configs), self.width))
        for row, config in zip(rows, configs, strict=True):
            self._fill(row, config)
        return rows

    def _width_of(self, slot: Slot) -> int:
        columns = self.columns.get(slot.label)
        return columns.stop - columns.start if columns else 0

    def _fill(self, row: NDArray[np.float64], config: Config) -> None:
        def choose(slot: Slot) -> Any:
            value = value_at(config, slot)
            if columns := self.columns.get(slot.label):
                row[columns] = _coordinates(slot, value)
            return value

        self.space.assemble(choose)


def is_number(parameter: Parameter) -> bool:
    """Return whether the values have an order and distances: ranges do, listed values do not."""
    return isinstance(parameter, Int | Float)


def position_of(parameter: Parameter, value: Any) -> float:
    """Return the position of a number between the ends of its range, from 0 to 1."""
    match parameter:
        case Int(lower, upper, None, log) | Float(lower, upper, None, log):
            scale = _scale(lower, upper, log)
            return (scale(value) - scale(lower)) / (scale(upper) - scale(lower))
    return (parameter.index_of(value) or 0) / ((parameter.size or 0) - 1)


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


def _coordinates(slot: Slot, value: Any) -> Sequence[float]:
    parameter = slot.parameter
    if not is_number(parameter):
        chosen = parameter.index_of(value)
        return [_CORNER if index == chosen else 0.0 for index in range(parameter.size or 0)]
    angle_part = position_of(parameter, value)
    if not _can_be_inactive(parameter):
        return [angle_part]
    return [math.sin(_ARC * angle_part), math.cos(_ARC * angle_part)]
