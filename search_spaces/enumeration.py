"""All configurations of a finite space, one after the other."""

from collections.abc import Callable, Iterator
from typing import Any

from search_spaces.parameters.grids import Grid
from search_spaces.slots import Layout, Slot
from search_spaces.walk import assemble


def enumerate_configurations(layout: Layout, values: Callable[[Slot], Grid | None]) -> Iterator[dict[str, Any]]:
    """Yield every configuration with these values once; of the slots, as they are walked, the last varies fastest.

    It is an odometer whose wheels are the slots of the current walk: the last wheel that can still turn is
    turned, those behind it are taken off, and the next walk puts on what has become active instead.
    """
    positions: list[int] = []
    sizes: list[int] = []
    while True:
        yield assemble(layout, _Reader(values, positions, sizes))
        while positions and positions[-1] == sizes[-1] - 1:
            positions.pop()
            sizes.pop()
        if not positions:
            return
        positions[-1] += 1


class _Reader:
    """Reads the wheels during one walk, and puts new ones on at zero."""

    def __init__(self, values: Callable[[Slot], Grid | None], positions: list[int], sizes: list[int]) -> None:
        self.values = values
        self.positions = positions
        self.sizes = sizes
        self.read = 0

    def __call__(self, slot: Slot) -> Any:
        grid = self.values(slot)
        if grid is None:
            raise ValueError(f"`{slot.label}` has a continuum of values")
        if self.read == len(self.positions):
            self.positions.append(0)
            self.sizes.append(len(grid))
        self.read += 1
        return grid[self.positions[self.read - 1]]
