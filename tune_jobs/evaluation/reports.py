"""Reports on predictions: the confusion matrix of a classification, the errors of a regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


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

    Attributes:
        true: Shape (examples, targets), float64.
        predicted: The same.
    """

    true: np.ndarray
    predicted: np.ndarray

    @property
    def mae(self) -> float:
        """The mean absolute error, over all targets."""
        return float(np.mean(np.abs(self.predicted - self.true)))

    @property
    def rmse(self) -> float:
        """The root of the mean squared error, over all targets."""
        return float(np.sqrt(np.mean((self.predicted - self.true) ** 2)))

    @property
    def r2(self) -> float | None:
        """The coefficient of determination, averaged over the targets; None with fewer than two examples."""
        if len(self.true) < 2:
            return None
        from sklearn.metrics import r2_score

        return float(r2_score(self.true, self.predicted))

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
