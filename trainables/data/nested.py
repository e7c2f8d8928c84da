"""Nested structures of arrays: tuples, lists and dicts, for models with several inputs or outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

Arrays = Any
"""An array, or a tuple, list or dict of arrays (a model with several inputs or outputs)."""

Split = tuple[Arrays, ...]
"""(x, y) or (x, y, sample_weight): the first axis of every array counts the examples."""


def leaves(arrays: Arrays) -> Iterator[np.ndarray]:
    """Yield every array of a nested structure, in order."""
    if isinstance(arrays, Mapping):
        for value in arrays.values():
            yield from leaves(value)
    elif isinstance(arrays, tuple | list):
        for value in arrays:
            yield from leaves(value)
    else:
        yield arrays


def length(arrays: Arrays) -> int:
    """Return the number of examples of a nested structure of arrays."""
    return len(next(leaves(arrays)))


def take(arrays: Arrays, indices: np.ndarray) -> Arrays:
    """Return the examples at some indices."""
    if isinstance(arrays, Mapping):
        return {name: take(value, indices) for name, value in arrays.items()}
    if isinstance(arrays, list):
        return [take(value, indices) for value in arrays]
    if isinstance(arrays, tuple):
        return tuple(take(value, indices) for value in arrays)
    return arrays[indices]
