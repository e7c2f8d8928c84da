"""What makes the bounds and the step of a numeric range valid, as pure functions that report mistakes."""

import math
from typing import Any

from search_spaces.messages import mistake
from search_spaces.parameters.grids import float_uppers_that_fit, int_uppers_that_fit, steps_between

LARGEST_INT = 2**53  # whole numbers beyond it are not exact as floats, and searchers compute in floats
LARGEST_FLOAT = 1e100  # searchers square and add bounds; beyond about 1e150 that overflows
SMALLEST_FACTOR = 1.000001
MOST_STEPS = 10**9

_WHOLE = "a whole number between -2**53 and 2**53"
_NUMBER = f"a finite number between -{LARGEST_FLOAT:g} and {LARGEST_FLOAT:g}"


def is_int(value: object) -> bool:
    """Return whether the value is an int that floats hold exactly; a bool is not."""
    return type(value) is int and abs(value) <= LARGEST_INT


def is_float(value: object) -> bool:
    """Return whether the value is an int or a float of a size that can be computed with; a bool is not."""
    return type(value) in (int, float) and -LARGEST_FLOAT <= value <= LARGEST_FLOAT  # type: ignore[operator]


def int_range_problems(lower: Any, upper: Any, step: Any, log: Any) -> list[str]:
    """Return all that is wrong with the arguments of an `Int`, whatever they are."""
    bounds = {"lower": lower, "upper": upper}
    problems = [
        mistake(name, value, _WHOLE, "write it as a plain int, such as 32")
        for name, value in bounds.items()
        if not is_int(value)
    ]
    smallest = 2 if log is True else 1
    if step is not None and not (is_int(step) and step >= smallest):
        problems.append(_step_mistake(step, f"a whole number >= {smallest}", log))
    problems += _log_problems(lower, log, sound=is_int(lower))
    problems += _order_problems(lower, upper) if is_int(lower) and is_int(upper) else []
    if problems or step is None:
        return problems
    return _landing_problems(upper, step, int_uppers_that_fit(lower, upper, step, log))


def float_range_problems(lower: Any, upper: Any, step: Any, log: Any) -> list[str]:
    """Return all that is wrong with the arguments of a `Float`, whatever they are."""
    bounds = {"lower": lower, "upper": upper}
    problems = [
        mistake(name, value, _NUMBER, "write it as a plain float, such as 0.5")
        for name, value in bounds.items()
        if not is_float(value)
    ]
    if step is not None and not (is_float(step) and (step >= SMALLEST_FACTOR if log is True else step > 0)):
        problems.append(_step_mistake(step, f"a number {_float_step_rule(log)}", log))
    problems += _log_problems(lower, log, sound=is_float(lower))
    problems += _order_problems(lower, upper) if is_float(lower) and is_float(upper) else []
    if problems or step is None:
        return problems
    return _float_step_problems(lower, upper, step, log)


def _float_step_rule(log: object) -> str:
    return f">= {SMALLEST_FACTOR}" if log is True else "> 0"


def _step_mistake(step: object, rule: str, log: object) -> str:
    meaning = "with `log` it multiplies" if log is True else "it is added from `lower` on"
    return mistake("step", step, rule, f"{meaning}; leave it out to search without steps")


def _log_problems(lower: Any, log: object, sound: bool) -> list[str]:
    if type(log) is not bool:
        return [mistake("log", log, "True or False", "leave it out for a linear range")]
    if log and sound and lower <= 0:
        return [mistake("lower", lower, "> 0 with `log`", "raise it, or leave out `log`")]
    return []


def _order_problems(lower: float, upper: float) -> list[str]:
    if lower <= upper:
        return []
    return [mistake("upper", upper, f">= `lower` ({lower!r})", "swap the two bounds")]


def _float_step_problems(lower: float, upper: float, step: float, log: bool) -> list[str]:
    finest = math.ulp(max(abs(lower), abs(upper)))
    if not log and step < finest:
        return [mistake("step", step, f">= {finest:g}, the distance of floats there", "use a larger step")]
    if steps_between(lower, upper, step, log) > MOST_STEPS:
        return [mistake("step", step, "such that there are at most a billion steps", "raise it, or leave it out")]
    return _landing_problems(upper, step, float_uppers_that_fit(lower, upper, step, log))


def _landing_problems(upper: float, step: float, fitting: tuple[float, float] | None) -> list[str]:
    if fitting is None:
        return []
    remedy = "the nearest values of `upper` that would do are {!r} and {!r}".format(*fitting)
    return [mistake("step", step, f"such that steps from `lower` end at `upper` ({upper!r})", remedy)]
