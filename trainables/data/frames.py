"""Frames, series and text as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainables.data.nested import Arrays


def arrays_of(value: Arrays) -> Arrays:
    """Return a structure with the columns of its frames as arrays, and with text as arrays of strings."""
    if isinstance(value, Mapping):
        return {name: arrays_of(part) for name, part in value.items()}
    if type(value) in (tuple, list):
        return type(value)(arrays_of(part) for part in value)
    if _is_frame(value):
        return {str(name): arrays_of(value[name]) for name in value.columns}
    if not isinstance(value, np.ndarray) and hasattr(value, "to_numpy"):
        value = value.to_numpy()  # a series
    is_of_objects = isinstance(value, np.ndarray) and value.dtype == object and value.size
    return value.astype(str) if is_of_objects and all(isinstance(item, str) for item in value.flat) else value


def _is_frame(value: Any) -> bool:
    return hasattr(value, "columns") and hasattr(value, "to_numpy")


def only_column(value: Any) -> Any:
    """Return the column of a frame that has a single one, and anything else as it is."""
    return value[value.columns[0]] if _is_frame(value) and len(value.columns) == 1 else value
