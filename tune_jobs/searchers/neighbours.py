"""The neighbours of a configuration: configurations that differ from it in at most a single choice."""

from __future__ import annotations

from typing import Any

import numpy as np

from search_spaces import SearchSpace, Slot
from search_spaces.adapters.vectors import is_number, number_at, position_of
from search_spaces.space import Config

_WIDEST_DEVIATION = 0.3  # standard deviation of a number's neighbours, as a part of its range
_DECADES = 2.0  # by which the deviation may be smaller: a search goes far first and comes close later


def neighbours(space: SearchSpace, config: Config, count: int, rng: np.random.Generator) -> list[Config]:
    """Return configurations with another value in one slot, which is chosen at random.

    The values of slots that become active because of the change are drawn.

    Args:
        space: A valid space.
        config: One of its configurations.
        count: The number of neighbours.
        rng: The generator to draw from.

    Returns:
        The neighbours; none if the configuration has nothing to change.
    """
    values = space.flatten(config)
    changeable = [slot.label for slot in space.slots() if slot.label in values and slot.parameter.size != 1]

    def changed_at(label: str) -> Config:
        def choose(slot: Slot) -> Any:
            if slot.label == label:
                return _changed_value(slot, values[label], rng)
            return values[slot.label] if slot.label in values else slot.parameter.sample(rng)

        return space.assemble(choose)

    if not changeable:
        return []
    return [changed_at(changeable[rng.integers(len(changeable))]) for _ in range(count)]


def _changed_value(slot: Slot, value: Any, rng: np.random.Generator) -> Any:
    """Return a number near a number, which may be the same by chance, or any other category."""
    parameter, size = slot.parameter, slot.parameter.size
    if not is_number(parameter):
        values = parameter.grid() or ()
        return values[((parameter.index_of(value) or 0) + int(rng.integers(1, len(values)))) % len(values)]
    deviation = _WIDEST_DEVIATION * 10.0 ** -rng.uniform(0.0, _DECADES)
    one_step = 0.0 if size is None else 1 / (size - 1)
    return number_at(parameter, position_of(parameter, value) + rng.normal(0.0, max(deviation, one_step)))
