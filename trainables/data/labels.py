"""Labels that are classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainables.data.nested import Arrays, leaves

_PIECE_BYTES = 8 * 2**20


def are_one_hot(labels: np.ndarray) -> bool:
    """Return whether each row of labels, of shape (examples, classes), is a single 1 among zeros."""
    return all(((piece == 0) | (piece == 1)).all() and (piece.sum(axis=1) == 1).all() for piece in _pieces(labels))


def count_missing(y: np.ndarray) -> int:
    """Return the number of NaN values."""
    if not np.issubdtype(y.dtype, np.floating):
        return 0
    return sum(int(np.isnan(piece).sum()) for piece in _pieces(y))


def _pieces(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows of an array in pieces, so that what is made of one takes little memory: targets may be images."""
    rows = max(1, _PIECE_BYTES // max(1, array.nbytes // max(1, len(array))))
    for begin in range(0, len(array), rows):
        yield array[begin : begin + rows]


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
