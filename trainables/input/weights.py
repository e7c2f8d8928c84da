"""The weight of each example: of the data, of ``FitOptions.sample_weight``, and of its class, multiplied."""

from __future__ import annotations

import keras
import numpy as np

from trainables.data.nested import Arrays, Split, leaves, length
from trainables.fit_options import FitOptions
from trainables.settings import InvalidTrainable


def with_weights(split: Split, options: FitOptions) -> Split:
    """Return a split with the weight of each example as its third part, where there are weights at all.

    Class weights become sample weights here, once: given to ``fit`` they would be mapped over the data set,
    and traced, anew in every epoch.

    Args:
        split: (x, y) or (x, y, sample_weight).
        options: ``sample_weight`` and ``class_weight`` of an epoch; all weights of an example are multiplied.

    Returns:
        The split itself where no option gives a weight, else (x, y, weights): one array, or one for each output where
        one of the weights is given so.

    Raises:
        InvalidTrainable: There is not one weight for each example (or for each of its labels), or the options have
            class weights, but the data has not one class for each example.
    """
    if options.sample_weight is None and options.class_weight is None:
        return split
    x, y, *factors = split
    if options.sample_weight is not None:
        factors.append(options.sample_weight)
    if options.class_weight is not None:
        factors.append(_class_weights(y, dict(options.class_weight)))
    factors = [keras.tree.map_structure(lambda weight: np.asarray(weight, np.float32), factor) for factor in factors]
    _check_shapes(factors, y)
    per_output = [factor for factor in factors if keras.tree.is_nested(factor)]
    if not per_output:
        return (x, y, _product(factors))
    outputs = [keras.tree.flatten(factor) for factor in per_output]
    if len({len(weights) for weights in outputs}) > 1:
        numbers = ", ".join(str(len(weights)) for weights in outputs)
        raise InvalidTrainable(
            f"The weights of Data.train and those of FitOptions.sample_weight are for {numbers} outputs, but must be "
            "for equally many."
        )
    for_all = [factor for factor in factors if not keras.tree.is_nested(factor)]
    products = [_product([*for_all, *weights]) for weights in zip(*outputs, strict=True)]
    return (x, y, keras.tree.pack_sequence_as(per_output[0], products))


def _product(factors: list[np.ndarray]) -> np.ndarray:
    """Return the product of weights of shape (examples,) or (examples, …)."""
    axes = max(factor.ndim for factor in factors)
    aligned = [factor.reshape(factor.shape + (1,) * (axes - factor.ndim)) for factor in factors]
    result = np.ones(1, np.float32)
    for factor in aligned:
        result = result * factor
    return result


def _check_shapes(factors: list[Arrays], y: Arrays) -> None:
    """Check that each weight is one of an example, or of a part of it that has a label of its own, such as a step."""
    examples = length(y)
    allowed = {(examples, 1), *(labels.shape[:axes] for labels in leaves(y) for axes in range(1, labels.ndim + 1))}
    shapes = {weight.shape for factor in factors for weight in keras.tree.flatten(factor)}
    if not shapes <= allowed:
        raise InvalidTrainable(
            f"The sample weights have the shapes {', '.join(map(str, sorted(shapes)))}, but must have one "
            f"weight for each of the {examples} training examples: shape ({examples},)."
        )


def _class_weights(y: Arrays, weights: dict[int, float]) -> np.ndarray:
    """Return the weight of every example's class, shape (examples,); a class that is missing weighs 1."""
    labels, *others = leaves(y)
    if others:
        raise InvalidTrainable(
            "FitOptions.class_weight is given, but the data has several outputs: give sample_weight instead."
        )
    if labels.ndim == 2 and labels.shape[1] > 1 and labels.dtype.kind in "biuf" and _are_shares(labels):
        labels = labels.argmax(axis=1)
    is_whole = labels.dtype.kind != "f" or bool((labels == np.trunc(labels)).all())
    if labels.size != len(labels) or not is_whole:
        what = f"of shape {labels.shape}" if is_whole else "that are no whole numbers"
        raise InvalidTrainable(
            f"FitOptions.class_weight is given, but the data has labels {what}: class weights need one class for each "
            "example, or rows that sum to 1. Give sample_weight instead."
        )
    result = np.ones(len(labels), np.float32)
    for label, weight in weights.items():
        result[labels.reshape(len(labels)) == label] = weight
    return result


def _are_shares(labels: np.ndarray) -> bool:
    """Return whether each row says how much of each class an example is: one-hot rows, also smoothed ones."""
    return bool((labels >= 0).all() and np.allclose(labels.sum(axis=1), 1))
