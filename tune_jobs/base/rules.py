"""Rules that several declarations share, each as a sentence or None."""

from __future__ import annotations

import math
from typing import Any


def count_problem(name: str, value: Any, *, least: int = 1) -> str | None:
    """Why a value is not a whole number of at least ``least``; None when it is."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return None
    return f"The value of `{name}` is {value!r}, but must be a whole number >= {least}."


def positive_problem(name: str, value: Any) -> str | None:
    """Why a value is not a finite number above 0; None when it is."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0:
        return None
    return f"The value of `{name}` is {value!r}, but must be a number > 0."
