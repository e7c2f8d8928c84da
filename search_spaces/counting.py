"""How many configurations a space has, exactly and without enumerating them."""

import math
from collections.abc import Iterator

from search_spaces.slots import Layout, Requirement, SlotKey

Slots = tuple[SlotKey, ...]


def count_configurations(layout: Layout) -> int | float:
    """Return the number of configurations, `math.inf` when a parameter has a continuum of values."""
    return _Counter(layout).count(tuple(place for name in layout.order for place in _places(layout, name)))


def _places(layout: Layout, name: str) -> Iterator[SlotKey]:
    return (place for place in layout.slots if place[0] == name)


class _Counter:
    """Counts by deciding one slot at a time.

    What is left after a decision falls apart into groups that have nothing to do with each other, and their
    counts multiply. A slot is kept only as long as it can still be active, so the count of a group depends
    on nothing but the slots in it, and each group is counted once.
    """

    def __init__(self, layout: Layout) -> None:
        self.slots = layout.slots
        self.requirements: dict[SlotKey, list[Requirement]] = {
            place: layout.requirements(place) for place in layout.slots
        }
        self.counted: dict[Slots, int | float] = {}

    def count(self, undecided: Slots) -> int | float:
        """Return the number of ways to fill undecided slots, listed parents first."""
        total: int | float = 1
        for group in self._groups(undecided):
            if group not in self.counted:
                self.counted[group] = self._count_group(group)
            total = math.inf if math.inf in (total, self.counted[group]) else total * self.counted[group]
        return total

    def _count_group(self, group: Slots) -> int | float:
        first, *rest = group
        size = self.slots[first].parameter.size
        if not rest or size is None:
            return math.inf if size is None else size
        accepted = [each.accepted for place in rest for each in self.requirements[place] if each.parent == first]
        mentioned = frozenset().union(*accepted)
        total: int | float = 0
        for value in mentioned:
            total = _sum(total, self.count(self._left(first, value, rest)))
        if others := size - len(mentioned):
            ways = self.count(self._left(first, _OTHER, rest))
            total = math.inf if ways == math.inf else _sum(total, others * ways)
        return total

    def _left(self, decided: SlotKey, value: object, rest: list[SlotKey]) -> Slots:
        """Return which slots can still be active once a slot has got its value."""
        lost: set[SlotKey] = set()
        for place in rest:
            for parent, accepted in self.requirements[place]:
                if parent in lost or (parent == decided and value not in accepted):
                    lost.add(place)
        return tuple(place for place in rest if place not in lost)

    def _groups(self, undecided: Slots) -> list[Slots]:
        """Split slots into the groups that are connected through requirements, in the order given."""
        leader = {place: place for place in undecided}

        def find(place: SlotKey) -> SlotKey:
            while leader[place] != place:
                leader[place] = place = leader[leader[place]]
            return place

        for place in undecided:
            for requirement in self.requirements[place]:
                if requirement.parent in leader:
                    leader[find(place)] = find(requirement.parent)
        groups: dict[SlotKey, list[SlotKey]] = {}
        for place in undecided:
            groups.setdefault(find(place), []).append(place)
        return [tuple(group) for group in groups.values()]


_OTHER = object()
"""A value that no requirement mentions."""


def _sum(some: int | float, others: int | float) -> int | float:
    return math.inf if math.inf in (some, others) else some + others
