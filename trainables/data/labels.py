"""Labels that are classes."""

from __future__ import annotations

import numpy as np

from trainables.data.nested import Arrays, leaves


def are_one_hot(labels: np.ndarray) -> bool:
    """Return whether each row of labels, of shape (examples, classes), is a single 1 among zeros."""
    return bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all())


def classes_of(y: Arrays) -> np.ndarray | None:
    """Return the class of each example, or None if the labels are no classes."""
    labels, *others = leaves(y)
    if others or labels.dtype.kind not in "biuf":
        return None
    if labels.ndim == 2:
        labels = labels[:, 0] if labels.shape[1] == 1 else _from_one_hot(labels)
    if labels.ndim != 1 or (labels != np.trunc(labels)).any() or 2 * len(np.unique(labels)) > len(labels):
        return None
    return labels


def _from_one_hot(labels: np.ndarray) -> np.ndarray:
    """Return the index of the one in each row, or the labels as they are if they are not one-hot."""
    return labels.argmax(axis=1) if are_one_hot(labels) else labels
