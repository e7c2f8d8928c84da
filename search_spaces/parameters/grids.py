"""The values of a stepped range, computed in decimal so that 0 … 0.5 step 0.1 holds 0.3 and ends at 0.5."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any, Protocol

_DIGITS = 80  # sums and products of floats within the accepted bounds are exact in far fewer
_ROUNDING = 1e-9  # of a step: how far a value may lie from the grid and still be taken for one of it


class Grid(Protocol):
    """A finite sequence of values: a tuple, a range, or a FloatGrid."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...


def exact(number: float) -> Decimal:
    """Return the decimal that the number was typed as: 0.1, not the binary neighbour of it."""
    return Decimal(repr(number))


@dataclass(frozen=True, slots=True)
class FloatGrid:
    """The floats from `lower` to `upper`, a step or (with `log`) a factor apart; computed when asked for."""

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

    def position(self, value: float) -> int | None:
        """Return the index of the grid's value that equals this one up to rounding, or None."""
        if self.log and value <= 0:
            return None
        nearest = min(max(round(steps_between(self.lower, value, self.step, self.log)), 0), len(self) - 1)
        tolerance = max(_ROUNDING * (value if self.log else self.step), 2 * math.ulp(value))
        return nearest if abs(self[nearest] - value) <= tolerance else None


def steps_between(lower: float, value: float, step: float, log: bool) -> Decimal | float:
    """Return how many steps lie between two numbers; a whole number when the step fits."""
    if log:
        return (math.log(value) - math.log(lower)) / math.log(step)
    with localcontext(prec=_DIGITS):
        return (exact(value) - exact(lower)) / exact(step)


def value_after(steps: int, lower: float, step: float, log: bool) -> float:
    """Return the float that lies a number of steps above `lower`."""
    with localcontext(prec=_DIGITS):
        return float(exact(lower) * exact(step) ** steps if log else exact(lower) + exact(step) * steps)


def int_grid(lower: int, upper: int, step: int, log: bool) -> range | tuple[int, ...]:
    """Return the whole numbers from `lower` to at most `upper`, a step (or a factor of `step`) apart."""
    if not log:
        return range(lower, upper + 1, step)
    powers = [lower]
    while powers[-1] * step <= upper:
        powers.append(powers[-1] * step)
    return tuple(powers)


def int_uppers_that_fit(lower: int, upper: int, step: int, log: bool) -> tuple[int, int] | None:
    """Return None when the steps end at `upper`, else the nearest bounds below and above where they do."""
    last = int_grid(lower, upper, step, log)[-1]
    return None if last == upper else (last, last * step if log else last + step)


def float_uppers_that_fit(lower: float, upper: float, step: float, log: bool) -> tuple[float, float] | None:
    """Return None when the steps end at `upper`, else the nearest bounds below and above where they do.

    A factor may miss by a relative 1e-9, because few ratios can be typed exactly.
    """
    steps = steps_between(lower, upper, step, log)
    landing = value_after(round(steps), lower, step, log)
    if math.isclose(landing, upper, rel_tol=_ROUNDING) if log else steps == round(steps):
        return None
    below = math.floor(steps)
    return value_after(below, lower, step, log), value_after(below + 1, lower, step, log)
