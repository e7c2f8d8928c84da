"""The values of a stepped range, computed in decimal: 0 … 0.5 step 0.1 contains 0.3 and ends at 0.5."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any, Protocol

_DIGITS = 80  # sums and products of floats within the accepted bounds are exact in far fewer
_ROUNDING = 1e-9  # part of a step by which a value may miss the grid and still count as a value of it


class ValueGrid(Protocol):
    """A finite sequence of values: a tuple, a range, or a ``FloatGrid``."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...


def exact(number: float) -> Decimal:
    """Return the decimal number that was typed: 0.1 itself, not the nearest binary fraction."""
    return Decimal(repr(number))


@dataclass(frozen=True, slots=True)
class FloatGrid:
    """The floats from ``lower`` to ``upper``, in equal steps or by equal factors; each is computed on demand.

    Attributes:
        lower: The first value.
        upper: The last value.
        step: The difference of neighbouring values or, with ``log``, their ratio.
        log: True if ``step`` is a factor.
    """

    lower: float
    upper: float
    step: float
    log: bool

    def __len__(self) -> int:
        return round(steps_between(self.lower, self.upper, self.step, self.log)) + 1

    def __getitem__(self, index: int, /) -> float:
        if not 0 <= index < len(self):
            raise IndexError(index)
        # An irrational factor lands beside the upper bound, never quite on it.
        return float(self.upper) if index == len(self) - 1 else value_after(index, self.lower, self.step, self.log)

    def __iter__(self) -> Iterator[float]:
        return (self[index] for index in range(len(self)))

    def index_of(self, value: float) -> int | None:
        """Return the index of the grid's value that equals this one up to rounding; None if there is none."""
        if self.log and value <= 0:
            return None
        nearest = min(max(round(steps_between(self.lower, value, self.step, self.log)), 0), len(self) - 1)
        tolerance = max(_ROUNDING * (value if self.log else self.step), 2 * math.ulp(value))
        return nearest if abs(self[nearest] - value) <= tolerance else None


def steps_between(lower: float, value: float, step: float, log: bool) -> Decimal | float:
    """Return the number of steps between two numbers; it is whole if the step fits."""
    if log:
        return (math.log(value) - math.log(lower)) / math.log(step)
    with localcontext(prec=_DIGITS):
        return (exact(value) - exact(lower)) / exact(step)


def value_after(steps: int, lower: float, step: float, log: bool) -> float:
    """Return the float that is a number of steps above ``lower``."""
    with localcontext(prec=_DIGITS):
        return float(exact(lower) * exact(step) ** steps if log else exact(lower) + exact(step) * steps)


def int_grid(lower: int, upper: int, step: int, log: bool) -> range | tuple[int, ...]:
    """Return the whole numbers from ``lower`` to at most ``upper`` in steps or, with ``log``, factors of ``step``."""
    if not log:
        return range(lower, upper + 1, step)
    powers = [lower]
    while powers[-1] * step <= upper:
        powers.append(powers[-1] * step)
    return tuple(powers)


def int_uppers_that_fit(lower: int, upper: int, step: int, log: bool) -> tuple[int, int] | None:
    """Return None if the steps end at ``upper``, else the nearest bounds below and above where they do."""
    last = int_grid(lower, upper, step, log)[-1]
    return None if last == upper else (last, last * step if log else last + step)


def float_uppers_that_fit(lower: float, upper: float, step: float, log: bool) -> tuple[float, float] | None:
    """Return None if the steps end at ``upper``, else the nearest bounds below and above where they do.

    A factor may miss by a relative 1e-9, because few ratios can be typed exactly.
    """
    steps = steps_between(lower, upper, step, log)
    landing = value_after(round(steps), lower, step, log)
    if math.isclose(landing, upper, rel_tol=_ROUNDING) if log else steps == round(steps):
        return None
    below = math.floor(steps)
    return value_after(below, lower, step, log), value_after(below + 1, lower, step, log)
