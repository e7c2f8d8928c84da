"""Examples that stand for a split: their types and shapes, before anything is trained."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from trainables.data.nested import is_sparse, leaves


def first_example(split: Any) -> Any:
    """Return the first example of a tuple of arrays, with its axis of examples."""
    return keras.tree.map_structure(lambda array: array[:1].toarray() if is_sparse(array) else array[:1], split)


def first_of(part: Any) -> Any:
    """Return the first example of a tensor of a batch, with its axis of examples."""
    if not hasattr(part, "dense_shape"):
        return part[:1]
    import tensorflow as tf  # a sparse tensor has no indices

    return tf.sparse.slice(part, [0] * part.shape.rank, [1, *part.dense_shape.numpy()[1:].tolist()])


def repeated(part: Any, times: int) -> Any:
    """Return the first example of an array, or of a ragged or sparse tensor, so many times."""
    first = first_of(part)
    if not hasattr(part, "row_lengths") and not hasattr(part, "dense_shape"):
        return np.repeat(first, times, axis=0)
    import tensorflow as tf

    return tf.concat([first] * times, 0) if hasattr(part, "row_lengths") else tf.sparse.concat(0, [first] * times)


def fixed_batch_size(model: Any) -> int | None:
    """Return the only number of examples that a batch of a model may have; None if it may have any.

    So it is with a recurrent layer that keeps its state: ``LSTM(8, stateful=True)`` after
    ``keras.Input(batch_shape=(32, …))``. Other models take batches of any size, whatever their Input says.
    """
    shapes = [getattr(part, "shape", None) for part in leaves(getattr(model, "inputs", None) or [])]
    sizes = {shape[0] for shape in shapes if shape} - {None}
    return int(sizes.pop()) if len(sizes) == 1 and _is_stateful(model) else None


def _is_stateful(layer: Any) -> bool:
    inner = [*(getattr(layer, "layers", None) or ()), getattr(layer, "layer", None)]
    return bool(getattr(layer, "stateful", False)) or any(_is_stateful(each) for each in inner if each is not None)


def rest_of_batches(name: str, count: int, size: int) -> str | None:
    """Return what is wrong with a number of examples for a model that takes batches of one size only; None: nothing.

    Args:
        name: The name of the split.
        count: Its number of examples.
        size: The size of the batches.
    """
    if not count % size:
        return None
    return (
        f"{name} has {count} examples, but the model has a stateful layer and takes batches of exactly {size}: leave "
        f"{count % size} of them out, or choose another batch_shape."
    )


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
