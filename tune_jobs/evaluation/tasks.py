"""The task of a model's output, classification or regression, inferred from labels, predictions and loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainables.data.labels import are_one_hot, count_missing
from tune_jobs.evaluation.reports import Classification, NoReport, Regression, Report

MAX_CLASSES = 1000
_BINARY_LOSSES = ("binary_crossentropy", "binary_focal_crossentropy")


def reports(
    labels: Any, predictions: Any, losses: Any, names: Sequence[str], class_names: Sequence[str] | None
) -> dict[str, Report]:
    """Return a report for each output of a model that has labels.

    Args:
        labels: The true labels: an array, or a list, tuple or dictionary of arrays, as in ``Data``.
        predictions: The result of ``model.predict``, arranged in the same way.
        losses: The loss with which the model was compiled, or a list or dictionary of losses.
        names: The names of the model's outputs, in order.
        class_names: The names of the classes 0, 1, …. They are used only if there is one output.
    """
    outputs, compiled = _by_name(predictions, names), _by_name(losses, names)
    judged = [name for name in names if compiled.get(name) is not None]  # an output without a loss may have no labels
    truths = _by_name(labels, names) or _by_name(labels, judged)
    if set(judged) <= truths.keys():
        outputs = {name: output for name, output in outputs.items() if name in truths}
    if not outputs or truths.keys() != outputs.keys():
        return {"output": NoReport("the labels are not arranged as the model's outputs are")}
    own_names = class_names if len(outputs) == 1 else None
    return {name: report(truths[name], outputs[name], compiled.get(name), own_names) for name in outputs}


def report(labels: np.ndarray, output: np.ndarray, loss: Any, class_names: Sequence[str] | None) -> Report:
    """Return the report on one output.

    The task follows from the labels and the output:

    - The labels are whole numbers of shape (n,) or (n, 1), or rows with a single 1, and the output has k > 1 numbers
      per example: there are k classes, and the largest number is the prediction.
    - The labels are 0 and 1, of shape (n,) or (n, 1), and the output has one number per example: there are two
      classes. The second one is predicted from 0.5 on, or from 0 on if the loss takes logits.
    - The labels have the output's shape: it is a regression. Labels that happen to be 0 and 1 are classes only if
      their type (integer or boolean) or the loss (binary cross-entropy) says so.

    Args:
        labels: The true labels, shape (examples, …).
        output: The model's predictions, shape (examples, …).
        loss: The loss of the output: a name, a function or an object of Keras.
        class_names: The names of the classes 0, 1, …. Numbers stand in for missing names.
    """
    labels, output = _narrowed(labels), _narrowed(np.asarray(output))
    if reason := _unusable(labels, output):
        return NoReport(reason)
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
    return Regression(labels.reshape(flat), output.reshape(flat))


def _unusable(labels: np.ndarray, output: np.ndarray) -> str | None:
    if missing := count_missing(labels):
        return f"{missing:,} labels are missing (NaN)"
    pieces = np.array_split(output, 1 + output.size // 2**20)
    are_finite = all(np.isfinite(piece.astype(np.float64)).all() for piece in pieces)
    return None if are_finite else "the model predicts numbers that are not finite"


def _classification(
    true: np.ndarray, predicted: np.ndarray, classes: int, class_names: Sequence[str] | None
) -> Classification | NoReport:
    if classes > MAX_CLASSES:
        return NoReport(f"there are {classes:,} classes, and a report is made of {MAX_CLASSES:,} at most")
    given = list(map(str, class_names or ()))[:classes]
    return Classification.of(true, predicted, [*given, *map(str, range(len(given), classes))])


def _narrowed(array: np.ndarray) -> np.ndarray:
    """Return an array of shape (n, 1) with shape (n,); others unchanged."""
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _are_classes(labels: np.ndarray, classes: int) -> bool:
    return bool(((labels >= 0) & (labels < classes) & (labels == np.floor(labels))).all())


def _are_truths(labels: np.ndarray, loss: Any) -> bool:
    return _are_zeros_and_ones(labels) and (labels.dtype.kind in "biu" or _loss_name(loss) in _BINARY_LOSSES)


def _are_zeros_and_ones(labels: np.ndarray) -> bool:
    return bool(((labels == 0) | (labels == 1)).all())


def _loss_name(loss: Any) -> str:
    """Return Keras's name of a loss that is given as a name (such as "bce"), a function, or an object."""
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", "")
    snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in str(name)).lstrip("_")
    return "binary_crossentropy" if str(name).lower() == "bce" else snake


def _threshold(loss: Any) -> float:
    return 0.0 if getattr(loss, "from_logits", False) else 0.5


def _by_name(part: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the parts by the names of their outputs; {} if they cannot be assigned."""
    if isinstance(part, Mapping):
        return dict(part)
    parts = list(part) if isinstance(part, list | tuple) else [part]
    return dict(zip(names, parts, strict=True)) if len(parts) == len(names) else {}
