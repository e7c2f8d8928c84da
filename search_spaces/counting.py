"""The number of configurations of a space, exact and without enumerating them."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import TypeAlias

from search_spaces.slots import SlotKey, SlotRule, SpaceStructure

SlotGroup: TypeAlias = tuple[SlotKey, ...]
Count: TypeAlias = int | float
_Counting: TypeAlias = Generator["_Counting", Count, Count]
"""A count that yields the counts it needs, and is sent their results."""

_OTHER_VALUE = object()
"""Stands for all values that no rule mentions."""


def count_configurations(structure: SpaceStructure) -> Count:
    """Return the number of configurations; ``math.inf`` if a parameter has a continuum of values."""
    keys = tuple(key for name in structure.order for key in structure.slots if key[0] == name)
    return _result(_Counter(structure).count(keys))


class _Counter:
    """A count that decides one slot at a time.

    The slots that are left after a decision fall apart into groups that do not depend on each other, and the counts of
    the groups multiply. A slot is kept only as long as it can still be active. So the count of a group depends on
    nothing but the slots in it, and each group is counted once.
    """

    def __init__(self, structure: SpaceStructure) -> None:
        self.slots = structure.slots
        self.rules: dict[SlotKey, list[SlotRule]] = {key: structure.slot_rules(key) for key in structure.slots}
        self.counted: dict[SlotGroup, Count] = {}

    def count(self, undecided: SlotGroup) -> _Counting:
        """Count the ways to fill undecided slots, which are listed parents first."""
        total: Count = 1
        for group in self._independent_groups(undecided):
            if group not in self.counted:
                self.counted[group] = yield self._count_group(group)
            total = math.inf if math.inf in (total, self.counted[group]) else total * self.counted[group]
        return total

    def _count_group(self, group: SlotGroup) -> _Counting:
        first = self._most_needed(group)
        rest = [key for key in group if key != first]
        size = self.slots[first].parameter.size
        if not rest or size is None:
            return math.inf if size is None else size
        accepted = [rule.accepted for key in rest for rule in self.rules[key] if rule.parent == first]
        mentioned = frozenset().union(*accepted)
        total: Count = 0
        for value in mentioned:
            total = _sum(total, (yield self.count(self._still_possible(first, value, rest))))
        if others := size - len(mentioned):
            ways = yield self.count(self._still_possible(first, _OTHER_VALUE, rest))
            total = math.inf if ways == math.inf else _sum(total, others * ways)
        return total

    def _most_needed(self, group: SlotGroup) -> SlotKey:
        """Return the slot that most others wait for, of those that are surely active.

        What one slot holds together falls apart when it is decided. Were it decided last, all combinations of the
        others would be counted one by one: nine lengths and a condition on all elements took hours.
        """
        needed, active = dict.fromkeys(group, 0), []
        for key in group:
            parents = {rule.parent for rule in self.rules[key]} & needed.keys()
            for parent in parents:
                needed[parent] += 1
            if not parents:
                active.append(key)
        return max(active, key=needed.__getitem__)

    def _still_possible(self, decided: SlotKey, value: object, rest: Sequence[SlotKey]) -> SlotGroup:
        """Return the slots that can still be active after a slot has got its value."""
        impossible: set[SlotKey] = set()
        for key in rest:
            for parent, accepted in self.rules[key]:
                if parent in impossible or (parent == decided and value not in accepted):
                    impossible.add(key)
        return tuple(key for key in rest if key not in impossible)

    def _independent_groups(self, undecided: SlotGroup) -> list[SlotGroup]:
        """Return the slots in groups that are connected through rules; every group keeps the given order."""
        leader = {key: key for key in undecided}

        def find_leader(key: SlotKey) -> SlotKey:
            while leader[key] != key:
                leader[key] = key = leader[leader[key]]
            return key

        for key in undecided:
            for rule in self.rules[key]:
                if rule.parent in leader:
                    leader[find_leader(key)] = find_leader(rule.parent)
        groups: dict[SlotKey, list[SlotKey]] = {}
        for key in undecided:
            groups.setdefault(find_leader(key), []).append(key)
        return [tuple(group) for group in groups.values()]


def _result(counting: _Counting) -> Count:
    """Carry out a count. The counts that wait for others stand in a list: Python's own stack has too little room."""
    waiting = [counting]
    result: Count | None = None
    while waiting:
        try:
            waiting.append(next(waiting[-1]) if result is None else waiting[-1].send(result))
            result = None
        except StopIteration as ended:
            waiting.pop()
            result = ended.value
    return 0 if result is None else result


def _sum(total: Count, ways: Count) -> Count:
    return math.inf if math.inf in (total, ways) else total + ways
