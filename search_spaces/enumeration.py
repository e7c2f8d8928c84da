"""All configurations of a finite space, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from search_spaces.parameters.grids import ValueGrid
from search_spaces.slots import Slot, SpaceStructure, assemble


def enumerate_configurations(
    structure: SpaceStructure, values: Callable[[Slot], ValueGrid | None]
) -> Iterator[dict[str, Any]]:
    """Yield every configuration with the given values once; the last slot of the walk varies fastest.

    This is an odometer. Its wheels are the slots of the current walk. The last wheel that can still turn is turned, the
    wheels behind it are removed, and the next walk adds new wheels for the slots that have become active instead.

    Args:
        structure: The structure of the space.
        values: Called for every active slot of every walk. It returns the values that the slot is to have.
    """
    positions: list[int] = []
    sizes: list[int] = []
    while True:
        yield assemble(structure, _Odometer(values, positions, sizes))
        while positions and positions[-1] == sizes[-1] - 1:
            positions.pop()
            sizes.pop()
        if not positions:
            return
        positions[-1] += 1


class _Odometer:
    """Reads the wheels during one walk, and adds new ones at zero."""

    def __init__(self, values: Callable[[Slot], ValueGrid | None], positions: list[int], sizes: list[int]) -> None:
        self.values = values
        self.positions = positions
        self.sizes = sizes
        self.wheel = 0

    def __call__(self, slot: Slot) -> Any:
        grid = self.values(slot)
        if grid is None:
            raise ValueError(f"`{slot.label}` has a continuum of values")
        if self.wheel == len(self.positions):
            self.positions.append(0)
            self.sizes.append(len(grid))
        self.wheel += 1
        return grid[self.positions[self.wheel - 1]]
