"""Rules for values that several declarations share: a function returns a sentence about the mistake, or None."""

from __future__ import annotations

import sys
from typing import Any

from search_spaces.messages import short_repr
from tune_jobs.base.amounts import LEAST_AMOUNT, MOST_AMOUNT

MOST_COUNT = 10**18
"""Largest count of anything. JSON and NumPy hold it, and nobody waits for the end of so many."""

MAX_EPOCHS_FOR_RAY = 100
"""Reports of a trial under plain Ray Tune, where nobody says another number."""


def count_problem(name: str, value: Any, *, least: int = 1, most: int = MOST_COUNT) -> str | None:
    """Return a problem unless a value is a whole number.

    Args:
        name: The name of the value.
        value: The value.
        least: The least number that is allowed.
        most: The greatest one.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        return f"The value of `{name}` is {short_repr(value)}, but must be a whole number >= {least}."
    if value > most:
        return f"The value of `{name}` is {short_repr(value)}, but must be a whole number <= {most:,}."
    return None


def positive_problem(name: str, value: Any) -> str | None:
    """Return a problem unless a value is a finite number above 0.

    Args:
        name: The name of the value.
        value: The value.
    """
    if _is_number(value) and 0 < value <= sys.float_info.max:
        return None
    return f"The value of `{name}` is {short_repr(value)}, but must be a number > 0."


def part_problem(name: str, value: Any) -> str | None:
    """Return a problem unless a value is a number from 0 to below 1.

    Args:
        name: The name of the value.
        value: The value.
    """
    if _is_number(value) and 0 <= value < 1:
        return None
    return f"The value of `{name}` is {short_repr(value)}, but must be a number >= 0 and < 1."


def amount_problem(name: str, value: Any) -> str | None:
    """Return a problem unless a value is an amount of a resource that Ray can count.

    Args:
        name: The name of the value.
        value: The value.
    """
    if _is_number(value) and LEAST_AMOUNT <= value <= MOST_AMOUNT:
        return None
    if _is_number(value) and 0 < value <= sys.float_info.max:
        return (
            f"The value of `{name}` is {short_repr(value)}, but must be from {LEAST_AMOUNT} to {MOST_AMOUNT:g}: Ray "
            "counts in ten-thousandths."
        )
    return f"The value of `{name}` is {short_repr(value)}, but must be a number > 0."


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
