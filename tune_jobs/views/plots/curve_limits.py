"""The range of values that a picture of learning curves shows.

A trial that learnt nothing must not flatten the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_MOST_BESIDE = 5.0  # times the span that matters, on either side of it
_MARGIN = 0.05

Curve = Sequence[float]


def limits(good: Sequence[Curve], others: Sequence[Curve]) -> tuple[float, float] | None:
    """Return the lowest and the highest value to show, or None if there is no finite value.

    The later half of the good curves decides. Everything else is shown as well, as long as it is not more than five
    times as far away as that half is wide: the beginning of the good curves, and the other curves.

    Args:
        good: The curves of the better trials, a value an epoch. NaN and infinities do not count.
        others: The curves of the other trials.
    """
    late = [value for curve in good for value in _finite(curve[len(curve) // 2 :])]
    every = [value for curve in [*good, *others] for value in _finite(curve)]
    if not every:
        return None
    low, high = min(every), max(every)
    if late and (span := max(late) - min(late)) > 0:
        low, high = max(low, min(late) - _MOST_BESIDE * span), min(high, max(late) + _MOST_BESIDE * span)
    margin = _MARGIN * (high - low) or _MARGIN * abs(high) or _MARGIN
    return low - margin, high + margin


def outside(curve: Curve, bounds: tuple[float, float]) -> str:
    """Return "below" or "above" if a curve lies entirely outside the bounds, else ""."""
    values = _finite(curve)
    if values and max(values) < bounds[0]:
        return "below"
    return "above" if values and min(values) > bounds[1] else ""


def _finite(values: Sequence[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]
