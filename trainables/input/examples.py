"""Examples that stand for a split: their types and shapes, before anything is trained."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from trainables.data.nested import leaves


def first_example(split: Any) -> Any:
    """Return the first example of a tuple of arrays, with its axis of examples."""
    return keras.tree.map_structure(lambda array: array[:1], split)


def example_like(spec: Any) -> Any:
    """Return an example of zeros for the elements of a data set, or None where only a real one has a shape.

    Args:
        spec: The specification of the data set's elements, which are batches: TensorFlow's.
    """
    if any(_is_open(part) for part in leaves(spec)):
        return None
    return keras.tree.map_structure(_zeros, spec)


def _is_open(part: Any) -> bool:
    """Return whether a specification leaves open more than the number of examples."""
    shape = getattr(part, "shape", None)
    is_dense = type(part).__name__ == "TensorSpec"
    return not is_dense or shape is None or shape.rank is None or None in tuple(shape)[1:]


def _zeros(part: Any) -> np.ndarray:
    shape = tuple(part.shape)
    shape = (1, *shape[1:]) if shape else ()
    return np.full(shape, "") if part.dtype.name == "string" else np.zeros(shape, part.dtype.as_numpy_dtype)
