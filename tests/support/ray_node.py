"""A node that gives away its resources as Ray 2.60 does (its fixed_point.h and resource_instance_set.cc)."""

from __future__ import annotations

from collections.abc import Mapping

_WHOLE = 10_000


class RayNode:
    """A node in memory. ``tests/integration/test_amounts.py`` asks a real Ray for the same.

    Args:
        amounts: What it has, by Ray's names. Each GPU is one of its own; of others it has one pool each.
    """

    def __init__(self, amounts: Mapping[str, float]) -> None:
        self._pools = {
            name: [_WHOLE] * int(amount) if name == "GPU" else [_units(amount)] for name, amount in amounts.items()
        }

    def take(self, amounts: Mapping[str, float]) -> bool:
        """Take what a trial asks for, all or nothing; say whether it was there."""
        before = {name: list(pool) for name, pool in self._pools.items()}
        if all(self._take(name, _units(amount)) for name, amount in amounts.items()):
            return True
        self._pools = before
        return False

    def count(self, amounts: Mapping[str, float], most: int) -> int:
        """Take for trial after trial until there is no more, or ``most`` have theirs; return for how many."""
        taken = 0
        while taken < most and self.take(amounts):
            taken += 1
        return taken

    def _take(self, name: str, units: int) -> bool:
        pool = self._pools.get(name, [])
        if name == "GPU" and units >= _WHOLE:
            free = [index for index, left in enumerate(pool) if left == _WHOLE][: units // _WHOLE]
            for index in free:
                pool[index] = 0
            return len(free) == units // _WHOLE
        sufficient = [index for index, left in enumerate(pool) if left >= units]
        if not sufficient:
            return units == 0
        pool[min(sufficient, key=lambda index: pool[index])] -= units  # the one that is left with least
        return True


def _units(amount: float) -> int:
    return int(float(amount) * _WHOLE)
