"""Classification or regression? Told from the labels, the model's output and its loss; pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainables.data import are_one_hot
from tune_jobs.evaluation.reports import Classification, NoReport, Regression, Report

MOST_CLASSES = 1000
_BINARY_LOSSES = ("binary_crossentropy", "binary_focal_crossentropy")


def reports(
    labels: Any, predictions: Any, losses: Any, names: Sequence[str], class_names: Sequence[str] | None
) -> dict[str, Report]:
    """A report for each output of a model.

    Args:
        labels: An array, or a list, tuple or dictionary of them, as ``Data`` has them.
        predictions: What ``model.predict`` returned: the same.
        losses: The loss that the model was compiled with, or a list or dictionary of them.
        names: Names of the model's outputs, in order.
        class_names: Names of the classes 0, 1, …; they hold where there is one output.
    """
    truths, outputs, chosen = (_by_name(part, names) for part in (labels, predictions, losses))
    if not outputs or truths.keys() != outputs.keys():
        return {"output": NoReport("the labels are not arranged as the model's outputs are")}
    meant = class_names if len(outputs) == 1 else None
    return {name: report(truths[name], outputs[name], chosen.get(name), meant) for name in outputs}


def report(labels: np.ndarray, output: np.ndarray, loss: Any, class_names: Sequence[str] | None) -> Report:
    """What one output is worth.

    - Whole numbers of shape (n,) or (n, 1), or rows with a single 1, beside k > 1 numbers an example: k classes, and
      the largest number is the prediction.
    - Truths (0 and 1) of shape (n,) or (n, 1) beside one number an example: two classes, the second from 0.5 on, or
      from 0 when the loss was told that it gets logits.
    - Labels of the output's shape: regression. Only a loss or a type of its own tells truths from numbers that happen
      to be 0 and 1.

    Args:
        labels: Shape (examples, …).
        output: What the model predicted, shape (examples, …).
        loss: What the output was compiled with: a name, a function or an object of Keras.
        class_names: Names of the classes 0, 1, …; numbers stand in for those that are missing.
    """
    labels, output = _narrowed(labels), _narrowed(np.asarray(output))
    if not np.isfinite(output.astype(np.float64)).all():
        return NoReport("the model predicts numbers that are not finite")
    if output.ndim == 1:
        if labels.ndim == 1 and _are_truths(labels, loss):
            return _classification(labels, output >= _threshold(loss), 2, class_names)
    elif output.ndim == 2:
        classes = output.shape[1]
        if labels.ndim == 1:
            if not _are_classes(labels, classes):
                return NoReport(f"the labels are not classes from 0 to {classes - 1}")
            return _classification(labels, output.argmax(axis=1), classes, class_names)
        if labels.shape == output.shape and are_one_hot(labels):
            return _classification(labels.argmax(axis=1), output.argmax(axis=1), classes, class_names)
        if labels.shape == output.shape and _are_truths(labels, loss):
            return NoReport("an example has any number of the classes")
    if labels.shape != output.shape:
        return NoReport(f"the labels have the shape {labels.shape}, but the output has {output.shape}")
    flat = (len(labels), -1)
    return Regression(labels.reshape(flat).astype(np.float64), output.reshape(flat).astype(np.float64))


def _classification(
    true: np.ndarray, predicted: np.ndarray, classes: int, class_names: Sequence[str] | None
) -> Classification | NoReport:
    if classes > MOST_CLASSES:
        return NoReport(f"there are {classes:,} classes, and a report is made of {MOST_CLASSES:,} at most")
    given = list(map(str, class_names or ()))[:classes]
    return Classification.of(true, predicted, [*given, *map(str, range(len(given), classes))])


def _narrowed(array: np.ndarray) -> np.ndarray:
    """(n, 1) as (n,)."""
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _are_classes(labels: np.ndarray, classes: int) -> bool:
    return bool(((labels >= 0) & (labels < classes) & (labels == np.floor(labels))).all())


def _are_truths(labels: np.ndarray, loss: Any) -> bool:
    return _are_zeros_and_ones(labels) and (labels.dtype.kind in "biu" or _loss_name(loss) in _BINARY_LOSSES)


def _are_zeros_and_ones(labels: np.ndarray) -> bool:
    return bool(((labels == 0) | (labels == 1)).all())


def _loss_name(loss: Any) -> str:
    """Keras's name of a loss: of "bce", a function, or an object."""
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", "")
    snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in str(name)).lstrip("_")
    return "binary_crossentropy" if str(name).lower() == "bce" else snake


def _threshold(loss: Any) -> float:
    return 0.0 if getattr(loss, "from_logits", False) else 0.5


def _by_name(part: Any, names: Sequence[str]) -> dict[str, Any]:
    """The parts by output; {} where they cannot be told apart."""
    if isinstance(part, Mapping):
        return dict(part)
    parts = list(part) if isinstance(part, list | tuple) else [part]
    return dict(zip(names, parts, strict=True)) if len(parts) == len(names) else {}
