"""What part of the values a picture of learning curves shows: a trial that learnt nothing must not flatten the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence

_MOST_BESIDE = 5.0  # times the span that matters, on either side of it
_MARGIN = 0.05

Curve = Sequence[float]


def limits(good: Sequence[Curve], others: Sequence[Curve]) -> tuple[float, float] | None:
    """The lowest and the highest value to show; None where there is none.

    What matters is the later half of the good curves. All that is not much farther away than that is wide is shown as
    well: where these began, and the others.

    Args:
        good: The curves of the better trials, epoch by epoch; NaN and infinities do not count.
        others: Those of the others.
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
    """Where a curve lies of which nothing is shown, "below" or "above"; "" where some of it is."""
    values = _finite(curve)
    if values and max(values) < bounds[0]:
        return "below"
    return "above" if values and min(values) > bounds[1] else ""


def _finite(values: Sequence[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]
