"""Frames, series and text as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainables.data.invalid import InvalidData
from trainables.data.nested import Arrays, is_sparse


def arrays_of(value: Arrays) -> Arrays:
    """Return a structure with the columns of its frames as arrays, and with text as arrays of strings."""
    if is_sparse(value):  # one by keys is a mapping, too
        return _in_rows(value)
    if isinstance(value, Mapping):
        return {name: arrays_of(part) for name, part in value.items()}
    if type(value) in (tuple, list):
        return type(value)(arrays_of(part) for part in value)
    if is_frame(value):
        return {str(name): arrays_of(value[name]) for name in value.columns}
    if not isinstance(value, np.ndarray) and hasattr(value, "to_numpy"):
        value = value.to_numpy()  # a series
    if _is_like_an_array(value):
        value = np.asarray(value)
    return _as_text(value) if isinstance(value, np.ndarray) and value.dtype == object and value.size else value


def _is_like_an_array(value: Any) -> bool:
    """Return whether a value is a tensor of another library, or an array in a file, which NumPy can read."""
    is_numpys = isinstance(value, np.ndarray | np.generic)
    return not is_numpys and hasattr(value, "__array__") and len(getattr(value, "shape", ())) > 0


def _in_rows(matrix: Any) -> Any:
    """Return a sparse matrix of SciPy by rows, each with its columns in order: Keras and TensorFlow need that."""
    rows = matrix.tocsr()
    if not rows.has_canonical_format:
        rows = rows.copy() if rows is matrix else rows
        rows.sum_duplicates()
    return rows


def _as_text(array: np.ndarray) -> np.ndarray:
    """Return an array of Python's strings, or of TensorFlow's bytes, as strings of NumPy; others unchanged."""
    if all(isinstance(item, bytes) for item in array.flat):
        texts = [item.decode("utf-8", "replace") for item in array.flat]
        return np.array(texts).reshape(array.shape)
    return array.astype(str) if all(isinstance(item, str) for item in array.flat) else array


def is_frame(value: Any) -> bool:
    """Return whether a value is a frame of pandas, or something that is used like one."""
    return hasattr(value, "columns") and hasattr(value, "to_numpy")


def only_column(value: Any) -> Any:
    """Return the column of a frame that has a single one, and anything else as it is."""
    return value[value.columns[0]] if is_frame(value) and len(value.columns) == 1 else value


def divided(name: str, frame: Any, label: str | Sequence[str]) -> tuple[Any, Any]:
    """Return the inputs and the labels of a frame that is a whole split.

    Args:
        name: The name of the split.
        frame: The frame.
        label: The column of labels, or several.

    Raises:
        InvalidData: The frame lacks one of them, or has no other column.
    """
    labels = [label] if isinstance(label, str) else list(label)
    columns = list(frame.columns)
    if problems := label_problems(name, columns, labels):
        raise InvalidData(problems)
    inputs = [column for column in columns if column not in labels]
    x, y = (frame[names[0]] if len(names) == 1 else frame[names] for names in (inputs, labels))
    return x, y


def label_problems(name: str, columns: Sequence[Any], labels: Sequence[str]) -> list[str]:
    """Return what is wrong with the columns of labels of a table.

    Args:
        name: The name of the split.
        columns: The columns of the table.
        labels: The columns of labels.
    """
    listed = ", ".join(map(str, columns))
    if missing := [label for label in labels if label not in columns]:
        return [
            f"Data.{name} has no column {', '.join(map(repr, missing))}, which Data.label names: its columns are "
            f"{listed}."
        ]
    if not set(columns) - set(labels):
        return [f"Data.label names all columns of Data.{name} ({listed}), but one at least must be an input."]
    return []
