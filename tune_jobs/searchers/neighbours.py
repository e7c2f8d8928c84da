"""Configurations that differ from a given one in at most a single choice."""

from __future__ import annotations

from typing import Any

import numpy as np

from search_spaces import SearchSpace, Slot
from search_spaces.adapters.vectors import is_number, number_at, position_of
from tune_jobs.searchers.base import Config

_WIDEST = 0.3  # deviation of a number's neighbours, as a part of its range
_DECADES = 2.0  # by which it may be smaller: a search goes far first and comes close later


def neighbours(space: SearchSpace, config: Config, count: int, rng: np.random.Generator) -> list[Config]:
    """Configurations with another value in one slot, chosen at random; what thereby becomes active is drawn.

    Args:
        space: A valid space.
        config: One of its configurations.
        count: How many.
        rng: Where the choices come from.
    """
    values = space.flatten(config)
    changeable = [slot.label for slot in space.slots() if slot.label in values and slot.parameter.size != 1]

    def changed(label: str) -> Config:
        def choose(slot: Slot) -> Any:
            if slot.label == label:
                return _near(slot, values[label], rng)
            return values[slot.label] if slot.label in values else slot.parameter.sample(rng)

        return space.assemble(choose)

    return [changed(changeable[rng.integers(len(changeable))]) for _ in range(count)] if changeable else []


def _near(slot: Slot, value: Any, rng: np.random.Generator) -> Any:
    """Another value: for a number one nearby (now and then the same), for a category any."""
    parameter, size = slot.parameter, slot.parameter.size
    if not is_number(parameter):
        values = parameter.grid() or ()
        return values[((parameter.index_of(value) or 0) + int(rng.integers(1, len(values)))) % len(values)]
    deviation = _WIDEST * 10.0 ** -rng.uniform(0.0, _DECADES)
    least = 0.0 if size is None else 1 / (size - 1)
    return number_at(parameter, position_of(parameter, value) + rng.normal(0.0, max(deviation, least)))
