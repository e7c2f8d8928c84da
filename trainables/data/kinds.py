"""The kinds of splits: arrays, and sources, which yield their examples when they are read."""

from __future__ import annotations

import inspect
import sys
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The kind of a split. The value is its name in messages."""

    ARRAYS = "a tuple of arrays"
    DATASET = "a tf.data.Dataset"
    PY_DATASET = "a keras.utils.PyDataset"
    FUNCTION = "a function that returns a generator"
    LOADER = "a PyTorch DataLoader"
    RAY = "a ray.data.Dataset"


def kind_of(split: Any) -> Kind | None:
    """Return the kind of a split; None if it is nothing that can be trained on.

    No library is imported for that: what a split is made of has been imported already.
    """
    if isinstance(split, tuple) and len(split) in (2, 3):
        return Kind.ARRAYS
    if _is_a(split, "tensorflow", "DatasetV2"):
        return Kind.DATASET
    if _is_a(split, "keras", "PyDataset"):
        return Kind.PY_DATASET
    if _is_a(split, "torch.utils.data", "DataLoader"):
        return Kind.LOADER
    if _is_a(split, "ray.data", "Dataset"):
        return Kind.RAY
    is_plain_function = inspect.isroutine(split) or (callable(split) and not isinstance(split, type))
    return Kind.FUNCTION if is_plain_function and not hasattr(split, "__array__") else None


def is_source(split: Any) -> bool:
    """Return whether a split yields its examples when it is read, and is no tuple of arrays."""
    return kind_of(split) not in (None, Kind.ARRAYS)


def _is_a(value: Any, package: str, name: str) -> bool:
    """Return whether one of the classes of a value has a name, and comes from a package that is imported."""
    if package.partition(".")[0] not in sys.modules:
        return False
    return any(
        kind.__name__ == name and f"{kind.__module__}.".startswith(f"{package}.") for kind in type(value).__mro__
    )
