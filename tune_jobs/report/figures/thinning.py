"""Thinning: what is drawn of a run that is too large to be drawn whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

_Item = TypeVar("_Item")


def evenly(items: Sequence[_Item], most: int) -> list[_Item]:
    """Return some of the items, evenly spread, with the first and the last.

    Args:
        items: The items.
        most: How many to return at most; 2 or more.
    """
    count = len(items)
    if count <= most:
        return list(items)
    return [items[round(index * (count - 1) / (most - 1))] for index in range(most)]


def best_and_others(ranked: Sequence[_Item], best: int, others: int) -> list[_Item]:
    """Return the best items and some of the others, evenly spread.

    Args:
        ranked: The items, the best first.
        best: How many of the best to keep.
        others: How many of the others to keep at most.
    """
    return [*ranked[:best], *evenly(ranked[best:], others)]


def drawn_note(drawn: Collection[object], all_items: Collection[object], noun: str) -> str:
    """Return "drawn: 200 of 1,000 trials", or "" if everything is drawn."""
    if len(drawn) >= len(all_items):
        return ""
    return f"drawn: {len(drawn):,} of {len(all_items):,} {noun}"
