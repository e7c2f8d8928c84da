"""Nested structures of arrays: tuples, lists and dicts, for models with several inputs or outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

Arrays = Any
"""An array of NumPy, or a sparse matrix of SciPy, or a tuple, list or dict of them (several inputs or outputs)."""

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
    return int(next(leaves(arrays)).shape[0])


def is_sparse(value: Any) -> bool:
    """Return whether a value is a sparse matrix of SciPy."""
    return hasattr(value, "tocsr")


def has_sparse(arrays: Arrays) -> bool:
    """Return whether one of the arrays of a structure is a sparse matrix of SciPy."""
    return any(map(is_sparse, leaves(arrays)))


def rows_of(arrays: Arrays, rows: slice) -> Arrays:
    """Return consecutive examples, as views of the arrays."""
    return map_leaves(lambda array: array[rows], arrays)


def map_leaves(function: Callable[..., Any], arrays: Arrays, *others: Arrays) -> Any:
    """Return a nested structure with the result of a function in place of every array.

    Args:
        function: Is called with an array of each structure, in order.
        arrays: The structure.
        others: Structures that are nested alike.
    """
    if isinstance(arrays, Mapping):
        return {name: map_leaves(function, *(each[name] for each in (arrays, *others))) for name in arrays}
    if isinstance(arrays, list | tuple):
        results = (map_leaves(function, *parts) for parts in zip(arrays, *others, strict=True))
        return list(results) if isinstance(arrays, list) else tuple(results)
    return function(arrays, *others)
