"""The weights of the examples of a batch by their classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from trainables.data.nested import leaves
from trainables.settings import InvalidTrainable


def weights_of(y: Any, weights: Mapping[int, float]) -> Any:
    """Return the weight of every example's class, shape (examples,); a class that is missing weighs 1.

    Args:
        y: The labels of a batch: numbers of classes, of shape (examples,) or (examples, 1), or one-hot rows.
        weights: The weight of each class.

    Raises:
        InvalidTrainable: The data has several outputs.
    """
    labels, *others = leaves(y)
    if others:
        raise InvalidTrainable(
            "FitOptions.class_weight is given, but the data has several outputs: give sample_weight instead."
        )
    if len(labels.shape) > 1:
        labels = keras.ops.argmax(labels, axis=-1) if labels.shape[-1] != 1 else keras.ops.squeeze(labels, -1)
    result = keras.ops.ones(keras.ops.shape(labels), "float32")
    for label, weight in weights.items():
        result = keras.ops.where(keras.ops.equal(labels, keras.ops.cast(label, labels.dtype)), float(weight), result)
    return result
