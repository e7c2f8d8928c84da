"""Rules for values that several declarations share: a function returns a sentence about the mistake, or None."""

from __future__ import annotations

import math
from typing import Any


def count_problem(name: str, value: Any, *, least: int = 1) -> str | None:
    """Return a problem unless a value is a whole number.

    Args:
        name: The name of the value.
        value: The value.
        least: The least number that is allowed.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return None
    return f"The value of `{name}` is {value!r}, but must be a whole number >= {least}."


def positive_problem(name: str, value: Any) -> str | None:
    """Return a problem unless a value is a finite number above 0.

    Args:
        name: The name of the value.
        value: The value.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0:
        return None
    return f"The value of `{name}` is {value!r}, but must be a number > 0."
