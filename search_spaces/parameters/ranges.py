"""Ranges of numbers: Int and Float."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from search_spaces.messages import shown
from search_spaces.parameters.base import Parameter
from search_spaces.parameters.grids import FloatGrid, Grid, int_grid
from search_spaces.parameters.range_rules import float_range_problems, int_range_problems, is_float, is_int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Range(Parameter):
    """A range of numbers. Both ends are included, always."""

    lower: float
    upper: float
    step: float | None = None
    log: bool = False

    def arguments(self) -> dict[str, Any]:
        """Return what the parameter was made of; what is at its default is left out."""
        arguments: dict[str, Any] = {"lower": self.lower, "upper": self.upper}
        if self.step is not None:
            arguments["step"] = self.step
        if self.log is not False:
            arguments["log"] = self.log
        return arguments

    def describe(self) -> str:
        """Return the values in a few words."""
        step = "" if self.step is None else f" {'factor' if self.log else 'step'} {_number(self.step)}"
        return f"{_number(self.lower)} … {_number(self.upper)}{step}{' log' if self.log else ''}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Int(_Range):
    """A whole number from `lower` to `upper`, both included.

    Args:
        lower: The smallest value.
        upper: The largest value.
        step: The distance of neighbouring values or, with `log`, their ratio: `Int(2, 32, step=2, log=True)`
            is one of 2, 4, 8, 16, 32. Steps from `lower` must land on `upper`.
        log: Whether the logarithm is what is uniform: k is drawn as often as log((k + 0.5) / (k - 0.5)) says.

    Raises:
        InvalidDeclaration: A bound is not an int, the bounds are swapped, or the step does not fit.
    """

    lower: int
    upper: int
    step: int | None = None

    def own_problems(self) -> list[str]:
        """Return what is wrong with the bounds, the step and `log`."""
        return int_range_problems(self.lower, self.upper, self.step, self.log)

    def grid(self) -> range | tuple[int, ...]:
        """Return all values; a range of a billion takes no memory."""
        return int_grid(self.lower, self.upper, self.step or 1, self.log and self.step is not None)

    def position(self, value: Any) -> int | None:
        """Return where on the grid the value lies, or None when it is not one of the values."""
        grid = self.grid()
        return grid.index(value) if is_int(value) and value in grid else None

    def sample(self, rng: np.random.Generator) -> int:
        """Draw a value: uniform over the grid or, with `log` and without a step, in the logarithm."""
        if self.step is not None or not self.log:
            return int(Parameter.sample(self, rng))
        drawn = math.exp(rng.uniform(math.log(self.lower - 0.5), math.log(self.upper + 0.5)))
        return int(min(max(round(drawn), self.lower), self.upper))

    def rule(self) -> str:
        """Return what a value must be, in words that follow "must be"."""
        return f"a whole number of {self.describe()}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Float(_Range):
    """A number from `lower` to `upper`, both included.

    Args:
        lower: The smallest value.
        upper: The largest value.
        step: The distance of neighbouring values or, with `log`, their ratio:
            `Float(1e-4, 1e-1, step=10, log=True)` is one of 1e-4, 1e-3, 1e-2, 1e-1. Without it every number
            between the bounds is a value. Steps from `lower` must land on `upper`, in decimal: as typed.
        log: Whether the logarithm is what is uniform.

    Raises:
        InvalidDeclaration: A bound is not a finite number, the bounds are swapped, or the step does not fit.
    """

    def own_problems(self) -> list[str]:
        """Return what is wrong with the bounds, the step and `log`."""
        return float_range_problems(self.lower, self.upper, self.step, self.log)

    def grid(self) -> Grid | None:
        """Return all values of a stepped range or of a single value, or None when they are a continuum."""
        if self.lower == self.upper:
            return (float(self.lower),)
        return None if self.step is None else FloatGrid(self.lower, self.upper, self.step, self.log)

    def position(self, value: Any) -> int | None:
        """Return where on the grid the value lies, or None when it is not one of the values."""
        grid = self.grid()
        if not is_float(value) or grid is None:
            return None
        return grid.position(value) if isinstance(grid, FloatGrid) else (0 if value == self.lower else None)

    def problem_with(self, value: Any) -> str | None:
        """Return why the value is not one of the parameter's, or None."""
        if self.grid() is None and is_float(value) and self.lower <= value <= self.upper:
            return None
        return Parameter.problem_with(self, value)

    def sample(self, rng: np.random.Generator) -> float:
        """Draw a value: uniform over the grid or, without a step, over the range or its logarithm."""
        if self.grid() is not None:
            return float(Parameter.sample(self, rng))
        if not self.log:
            return float(rng.uniform(self.lower, self.upper))
        drawn = math.exp(rng.uniform(math.log(self.lower), math.log(self.upper)))
        return float(min(max(drawn, self.lower), self.upper))

    def rule(self) -> str:
        """Return what a value must be, in words that follow "must be"."""
        return f"a number of {self.describe()}"


def _number(value: float) -> str:
    return f"{value:.12g}" if is_float(value) else shown(value)
