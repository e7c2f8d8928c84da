"""Parameters with a range of numbers: Int and Float, and the rules for their bounds and steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from search_spaces.messages import mistake, short_repr
from search_spaces.parameters.base import Parameter
from search_spaces.parameters.grids import (
    FloatGrid,
    ValueGrid,
    float_uppers_that_fit,
    int_grid,
    int_uppers_that_fit,
    steps_between,
)

_MAX_INT = 2**53  # larger whole numbers are not exact as floats, and searchers compute in floats
_MAX_FLOAT = 1e100  # searchers square and add bounds; beyond about 1e150 that overflows
_MIN_FACTOR = 1.000001
_MAX_STEPS = 10**9

_INT_RULE = "a whole number between -2**53 and 2**53"
_FLOAT_RULE = f"a finite number between -{_MAX_FLOAT:g} and {_MAX_FLOAT:g}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Range(Parameter):
    """A range of numbers. Both ends are always included."""

    lower: float
    upper: float
    step: float | None = None
    log: bool = False

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that the parameter was made with; those at their default are left out."""
        arguments: dict[str, Any] = {"lower": self.lower, "upper": self.upper}
        if self.step is not None:
            arguments["step"] = self.step
        if self.log is not False:
            arguments["log"] = self.log
        return arguments

    def describe(self) -> str:
        """Return the values in a few words."""
        step = "" if self.step is None else f" {'factor' if self.log else 'step'} {_number_text(self.step)}"
        return f"{_number_text(self.lower)} … {_number_text(self.upper)}{step}{' log' if self.log else ''}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Int(_Range):
    """A whole number from ``lower`` to ``upper``, both included.

    Args:
        lower: The smallest value.
        upper: The largest value.
        step: The difference of neighbouring values or, with ``log``, their ratio. ``Int(2, 32, step=2, log=True)``
            is one of 2, 4, 8, 16, 32. Steps from ``lower`` must end exactly at ``upper``.
        log: True to draw uniformly in the logarithm: k has a probability in proportion to log((k + 0.5) / (k - 0.5)).

    Raises:
        InvalidDeclaration: A bound is not an int, the bounds are swapped, or the step does not fit.

    Example:
        >>> from search_spaces import Int
        >>> list(Int(16, 64, step=16).grid())
        [16, 32, 48, 64]
        >>> list(Int(2, 32, step=2, log=True).grid())
        [2, 4, 8, 16, 32]
    """

    lower: int
    upper: int
    step: int | None = None

    def own_problems(self) -> list[str]:
        """Return every mistake in the bounds, the step and ``log``."""
        return _int_problems(self.lower, self.upper, self.step, self.log)

    def grid(self) -> range | tuple[int, ...]:
        """Return all values; a range of a billion takes no memory."""
        return int_grid(self.lower, self.upper, self.step or 1, self.log and self.step is not None)

    def index_of(self, value: Any) -> int | None:
        """Return the index of a value on the grid, from 0; None if it is not one of the values."""
        grid = self.grid()
        return grid.index(value) if _is_int(value) and value in grid else None

    def sample(self, rng: np.random.Generator) -> int:
        """Draw a value: uniformly over the grid or, with ``log`` and without a step, in the logarithm."""
        if self.step is not None or not self.log:
            return int(Parameter.sample(self, rng))
        drawn = math.exp(rng.uniform(math.log(self.lower - 0.5), math.log(self.upper + 0.5)))
        return int(min(max(round(drawn), self.lower), self.upper))

    def rule(self) -> str:
        """Return the rule that a value must fulfil, in words that follow "must be"."""
        return f"a whole number of {self.describe()}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Float(_Range):
    """A number from ``lower`` to ``upper``, both included.

    Args:
        lower: The smallest value.
        upper: The largest value.
        step: The difference of neighbouring values or, with ``log``, their ratio.
            ``Float(1e-4, 1e-1, step=10, log=True)`` is one of 1e-4, 1e-3, 1e-2, 1e-1. Without a step, every number
            between the bounds is a value. Steps from ``lower`` must end exactly at ``upper``, in decimal: as typed.
        log: True to draw uniformly in the logarithm.

    Raises:
        InvalidDeclaration: A bound is not a finite number, the bounds are swapped, or the step does not fit.

    Example:
        >>> from search_spaces import Float
        >>> list(Float(0.0, 0.5, step=0.1).grid())
        [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
        >>> Float(1e-4, 1e-2, log=True).grid() is None
        True
    """

    def own_problems(self) -> list[str]:
        """Return every mistake in the bounds, the step and ``log``."""
        return _float_problems(self.lower, self.upper, self.step, self.log)

    def grid(self) -> ValueGrid | None:
        """Return all values of a stepped range or of a single value; None if they are a continuum."""
        if self.lower == self.upper:
            return (float(self.lower),)
        return None if self.step is None else FloatGrid(self.lower, self.upper, self.step, self.log)

    def index_of(self, value: Any) -> int | None:
        """Return the index of a value on the grid, from 0; None if it is not one of the values."""
        grid = self.grid()
        if not _is_float(value) or grid is None:
            return None
        return grid.index_of(value) if isinstance(grid, FloatGrid) else (0 if value == self.lower else None)

    def problem_with(self, value: Any) -> str | None:
        """Return why the parameter cannot have this value, in words that follow its name; None if it can."""
        if self.grid() is None and _is_float(value) and self.lower <= value <= self.upper:
            return None
        return Parameter.problem_with(self, value)

    def sample(self, rng: np.random.Generator) -> float:
        """Draw a value: uniformly over the grid or, without a step, over the range or its logarithm."""
        if self.grid() is not None:
            return float(Parameter.sample(self, rng))
        if not self.log:
            return float(rng.uniform(self.lower, self.upper))
        drawn = math.exp(rng.uniform(math.log(self.lower), math.log(self.upper)))
        return float(min(max(drawn, self.lower), self.upper))

    def rule(self) -> str:
        """Return the rule that a value must fulfil, in words that follow "must be"."""
        return f"a number of {self.describe()}"


def _number_text(value: float) -> str:
    return f"{value:.12g}" if _is_float(value) else short_repr(value)


def _is_int(value: object) -> bool:
    """Return whether a value is an int that a float holds exactly; a bool is not."""
    return type(value) is int and abs(value) <= _MAX_INT


def _is_float(value: object) -> bool:
    """Return whether a value is an int or a float of a size that can be computed with; a bool is not."""
    return type(value) in (int, float) and -_MAX_FLOAT <= value <= _MAX_FLOAT  # type: ignore[operator]


def _int_problems(lower: Any, upper: Any, step: Any, log: Any) -> list[str]:
    """Return every mistake in the arguments of an ``Int``, whatever they are."""
    bounds = {"lower": lower, "upper": upper}
    problems = [
        mistake(name, value, _INT_RULE, "write it as a plain int, such as 32")
        for name, value in bounds.items()
        if not _is_int(value)
    ]
    smallest = 2 if log is True else 1
    if step is not None and not (_is_int(step) and step >= smallest):
        problems.append(_step_mistake(step, f"a whole number >= {smallest}", log))
    problems += _log_problems(lower, log, is_number=_is_int(lower))
    problems += _order_problems(lower, upper) if _is_int(lower) and _is_int(upper) else []
    if problems or step is None:
        return problems
    return _last_step_problems(upper, step, int_uppers_that_fit(lower, upper, step, log))


def _float_problems(lower: Any, upper: Any, step: Any, log: Any) -> list[str]:
    """Return every mistake in the arguments of a ``Float``, whatever they are."""
    bounds = {"lower": lower, "upper": upper}
    problems = [
        mistake(name, value, _FLOAT_RULE, "write it as a plain float, such as 0.5")
        for name, value in bounds.items()
        if not _is_float(value)
    ]
    if step is not None and not (_is_float(step) and (step >= _MIN_FACTOR if log is True else step > 0)):
        rule = f">= {_MIN_FACTOR}" if log is True else "> 0"
        problems.append(_step_mistake(step, f"a number {rule}", log))
    problems += _log_problems(lower, log, is_number=_is_float(lower))
    problems += _order_problems(lower, upper) if _is_float(lower) and _is_float(upper) else []
    if problems or step is None:
        return problems
    return _float_step_problems(lower, upper, step, log)


def _step_mistake(step: object, rule: str, log: object) -> str:
    meaning = "with `log` it multiplies" if log is True else "it is added from `lower` on"
    return mistake("step", step, rule, f"{meaning}; leave it out to search without steps")


def _log_problems(lower: Any, log: object, *, is_number: bool) -> list[str]:
    if type(log) is not bool:
        return [mistake("log", log, "True or False", "leave it out for a linear range")]
    if log and is_number and lower <= 0:
        return [mistake("lower", lower, "> 0 with `log`", "raise it, or leave out `log`")]
    return []


def _order_problems(lower: float, upper: float) -> list[str]:
    if lower <= upper:
        return []
    return [mistake("upper", upper, f">= `lower` ({lower!r})", "swap the two bounds")]


def _float_step_problems(lower: float, upper: float, step: float, log: bool) -> list[str]:
    finest = math.ulp(max(abs(lower), abs(upper)))
    if not log and step < finest:
        return [mistake("step", step, f">= {finest:g}, the distance of floats in this range", "use a larger step")]
    if steps_between(lower, upper, step, log) > _MAX_STEPS:
        return [mistake("step", step, "such that there are at most a billion steps", "raise it, or leave it out")]
    return _last_step_problems(upper, step, float_uppers_that_fit(lower, upper, step, log))


def _last_step_problems(upper: float, step: float, fitting: tuple[float, float] | None) -> list[str]:
    if fitting is None:
        return []
    remedy = "the nearest values of `upper` that would do are {!r} and {!r}".format(*fitting)
    return [mistake("step", step, f"such that steps from `lower` end at `upper` ({upper!r})", remedy)]
