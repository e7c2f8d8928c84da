"""Reports on predictions: the confusion matrix of a classification, the errors of a regression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

_PIECE_NUMBERS = 2**20


@dataclass(frozen=True, eq=False)
class Classification:
    """Predicted classes beside the true ones; each example counts once, whatever its sample weight.

    Attributes:
        class_names: Names of the classes 0, 1, ….
        confusion: Examples by true class (row) and predicted class (column), int64, shape (classes, classes).
    """

    class_names: tuple[str, ...]
    confusion: np.ndarray

    @classmethod
    def of(cls, true: np.ndarray, predicted: np.ndarray, class_names: Sequence[str]) -> Classification:
        """Count the pairs of true and predicted class.

        Args:
            true: The true classes, shape (examples,).
            predicted: The predicted classes, shape (examples,).
            class_names: The names of the classes 0, 1, ….
        """
        classes = len(class_names)
        pairs = true.astype(np.int64) * classes + predicted.astype(np.int64)
        return cls(tuple(class_names), np.bincount(pairs, minlength=classes**2).reshape(classes, classes))

    @cached_property
    def present(self) -> list[int]:
        """The classes that any example has, or that were predicted for one: scikit-learn reports on these."""
        return [int(index) for index in np.flatnonzero(self.confusion.sum(axis=0) + self.confusion.sum(axis=1))]

    def text(self) -> str:
        """Return scikit-learn's classification report."""
        from sklearn.metrics import classification_report

        names = [self.class_names[index] for index in self.present]
        options = {"labels": self.present, "target_names": names, "digits": 4, "zero_division": 0.0}
        return str(classification_report(*self._pairs(), **options))

    def to_json(self) -> dict[str, Any]:
        """Return the report as numbers; null for a class that no example has and that was never predicted."""
        from sklearn.metrics import precision_recall_fscore_support

        options = {"labels": self.present, "zero_division": 0.0}
        columns = precision_recall_fscore_support(*self._pairs(), **options)
        table: dict[str, list[float | None]] = {}
        for name, values in zip(("precision", "recall", "f1"), columns, strict=False):
            known = dict(zip(self.present, values.tolist(), strict=True))
            table[name] = [known.get(index) for index in range(len(self.class_names))]
        return {
            "kind": "classification",
            "class_names": list(self.class_names),
            "accuracy": float(np.trace(self.confusion) / self.confusion.sum()),
            **table,
            "support": self.confusion.sum(axis=1).tolist(),
            "confusion": self.confusion.tolist(),
        }

    def _pairs(self) -> tuple[np.ndarray, np.ndarray]:
        # Precision, recall and F1 depend on the counts alone: any examples with these counts give the same report.
        true, predicted = np.indices(self.confusion.shape)
        counts = self.confusion.ravel()
        return np.repeat(true.ravel(), counts), np.repeat(predicted.ravel(), counts)


@dataclass(frozen=True, eq=False)
class Regression:
    """Predicted numbers beside the true ones; each example counts once, whatever its sample weight.

    The errors are computed in float64, a piece of the examples at a time: a target may be a whole image.

    Attributes:
        true: Numbers, shape (examples, targets).
        predicted: The same.
    """

    true: np.ndarray
    predicted: np.ndarray

    @property
    def mae(self) -> float:
        """The mean absolute error, over all targets."""
        return float(self._sum_over(lambda true, predicted: np.abs(predicted - true)).sum() / self.true.size)

    @property
    def rmse(self) -> float:
        """The root of the mean squared error, over all targets."""
        return float(np.sqrt(self._squares.sum() / self.true.size))

    @property
    def r2(self) -> float | None:
        """The coefficient of determination, averaged over the targets; None with fewer than two examples.

        A target that is the same for all examples counts 1 where it is met, else 0, as in scikit-learn.
        """
        if len(self.true) < 2:
            return None
        means = self._sum_over(lambda true, _: true) / len(self.true)
        spread = self._sum_over(lambda true, _: (true - means) ** 2)
        scores = (self._squares == 0).astype(np.float64)
        np.divide(spread - self._squares, spread, out=scores, where=spread != 0)
        return float(scores.mean())

    @cached_property
    def _squares(self) -> np.ndarray:
        return self._sum_over(lambda true, predicted: (predicted - true) ** 2)

    def _sum_over(self, function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        """Return the sum of a function's values over the examples, shape (targets,)."""
        examples, targets = self.true.shape
        rows = max(1, _PIECE_NUMBERS // max(1, targets))
        result = np.zeros(targets)
        for begin in range(0, examples, rows):
            true, predicted = (each[begin : begin + rows].astype(np.float64) for each in (self.true, self.predicted))
            result += function(true, predicted).sum(axis=0)
        return result

    def to_json(self) -> dict[str, Any]:
        """Return the report as numbers."""
        return {"kind": "regression", "mae": self.mae, "rmse": self.rmse, "r2": self.r2}


@dataclass(frozen=True)
class NoReport:
    """The reason why no report beyond loss and metrics can be made for an output.

    Attributes:
        reason: The reason, as a part of a sentence.
    """

    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return the reason."""
        return {"kind": "none", "reason": self.reason}


Report = Classification | Regression | NoReport
