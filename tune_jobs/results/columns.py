"""The leaderboard's columns of a search space."""

from __future__ import annotations

from typing import Literal

from search_spaces import SearchSpace, Slot
from search_spaces.parameters import Boolean, Float, Int
from tune_jobs.results.leaderboard import Column

Dtype = Literal["int", "float", "bool", "str", "json"]


def columns(space: SearchSpace) -> list[Column]:
    """A column for every value that a configuration can hold, in declaration order."""
    return [Column(slot.label, slot.name, slot.index, _dtype(slot)) for slot in space.slots()]


def _dtype(slot: Slot) -> Dtype:
    match slot.parameter:
        case Int():
            return "int"
        case Float():
            return "float"
        case Boolean():
            return "bool"
    kinds = {type(value) for value in slot.parameter.grid() or ()}
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return "int"
    if kinds <= {int, float}:
        return "float"
    return "str" if kinds == {str} else "json"
