"""The one walk through a space that everything is built on: visit each active slot, parents first."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from search_spaces.slots import Layout, Slot, SlotKey

_ABSENT = object()


def assemble(layout: Layout, choose: Callable[[Slot], Any]) -> dict[str, Any]:
    """Return the configuration, in declaration order, that comes of choosing a value for each active slot.

    Args:
        layout: The structure of the space.
        choose: Called once for each active slot, parents before children. It must return one of the slot's
            values; the configuration gets a copy of it, so that no trial can change the space.
    """
    values: dict[SlotKey, Any] = {}
    grown = {name: _grow(layout, (name, ()), values, choose) for name in layout.order}
    return {name: grown[name] for name in layout.parameters if grown[name] is not _ABSENT}


def _grow(layout: Layout, place: SlotKey, values: dict[SlotKey, Any], choose: Callable[[Slot], Any]) -> Any:
    """Return what stands at a place, a value or a list, and enter each chosen value into `values`."""
    name, index = place
    if layout.closing_parent(name, index, values) is not None:
        return _ABSENT
    if len(index) == layout.depth(name):
        values[place] = copy.deepcopy(choose(layout.slots[place]))
        return values[place]
    length = values[layout.counts[name][len(index)], index]
    elements = [_grow(layout, (name, (*index, nth)), values, choose) for nth in range(length)]
    # An inactive element leaves None, so that the others keep their places beside their parents.
    return [None if each is _ABSENT else each for each in elements]


def look_up(config: Mapping[str, Any], slot: Slot) -> Any:
    """Return the value of an active slot in a valid configuration."""
    value = config[slot.name]
    for nth in slot.index:
        value = value[nth]
    return value
