"""Amounts of resources, counted and named as Ray does."""

from __future__ import annotations

UNITS = 10_000
"""Units of an amount of 1. Ray counts in ten-thousandths, and cuts off what is smaller: seven trials with 1/7 of a GPU
fit on one, and 0.57 is 5,699 units, because 0.57 * 10,000 is a little less than 5,700 (tried with ray 2.60; FixedPoint
in src/ray/common/scheduling/fixed_point.h)."""

LEAST_AMOUNT = 1 / UNITS
"""Smallest amount that is not nothing to Ray."""

MOST_AMOUNT = 1e12
"""Largest amount. Ray holds units in 64 bits."""

RAY_NAMES = {"cpus": "CPU", "gpus": "GPU", "memory_bytes": "memory"}
"""Ray's name of each resource that is a field of ``Resources``; custom resources have one name."""

_FIELDS = {name: field for field, ray_name in RAY_NAMES.items() for name in (field, ray_name.lower())}


def ray_name(name: str) -> str:
    """Return Ray's name of a field of ``Resources``, or the name of a custom resource as it is."""
    return RAY_NAMES.get(name, name)


def field_named(name: str) -> str | None:
    """Return the field of ``Resources`` that a name stands for, in any case; None for a custom resource's name."""
    return _FIELDS.get(name.lower())


def to_units(amount: float) -> int:
    """Return an amount in the units in which Ray counts."""
    return int(amount * UNITS)


def fits(requested: float, available: float) -> bool:
    """Return whether Ray finds an amount in what is available."""
    return to_units(requested) <= to_units(available)


def trials_per_amount(requested: float, available: float) -> int:
    """Return for how many trials an amount suffices.

    Args:
        requested: The amount that each trial asks for; less than one unit counts as one.
        available: The amount that all of them share.
    """
    return to_units(available) // max(1, to_units(requested))


def share_of_one(trials: int) -> float:
    """Return the largest amount that Ray can give to each of so many trials that share an amount of 1."""
    return UNITS // trials / UNITS
