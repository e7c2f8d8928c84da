"""Cross-validation of estimators of scikit-learn, one fold a step."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from trainables.steps import OwnStep

SCORE, FOLD_SCORE, FIT_SECONDS = "score", "fold_score", "fit_seconds"
"""The metrics of a fold: the score of the configuration as far as it is known, that of the fold, and the fit's time."""


@dataclass(frozen=True)
class CrossValidation:
    """The examples, and how they are divided and scored.

    Attributes:
        x, y: The examples and the labels: arrays, frames or lists.
        sample_weight: The weight of each example; None: all count alike.
        groups: The group of each example, for splitters that need it.
        splitter: A splitter of scikit-learn.
        scorer: A scorer of scikit-learn; None: the estimator's own ``score``.
        metrics: Further functions ``metric(y_true, y_predicted)``.
    """

    x: Any
    y: Any
    splitter: Any
    scorer: Any = None
    sample_weight: Any = None
    groups: Any = None
    metrics: tuple[Callable[..., float], ...] = ()

    @property
    def folds(self) -> int:
        """The number of folds."""
        return int(self.splitter.get_n_splits(self.x, self.y, self.groups))

    def steps(self, build: Callable[[], Any], *, most: int | None = None, is_judged: bool) -> Iterator[OwnStep]:
        """Yield the scores after each fold.

        Args:
            build: Returns an estimator that was not fitted.
            most: The number of folds after which the trial is over; None: all.
            is_judged: Whether a scheduler judges a trial before its last fold. Then a fold that is still to come counts
                as 0, or as worse than the worst so far if that is negative: no stopped trial ranks above a whole one.
                Otherwise the score is not a number until the last fold.
        """
        scores: list[float] = []
        further: dict[str, list[float]] = {}
        folds = list(self.splitter.split(self.x, self.y, self.groups))[:most]
        for number, (train, held_out) in enumerate(folds, start=1):
            start_s = time.perf_counter()
            estimator = self.fitted(build(), train)
            fit_s = time.perf_counter() - start_s
            x, y = rows_of(self.x, held_out), rows_of(self.y, held_out)
            scores.append(self._score(estimator, x, y, rows_of(self.sample_weight, held_out)))
            for metric in self.metrics:
                further.setdefault(metric.__name__, []).append(float(metric(y, estimator.predict(x))))
            is_last = number == len(folds)
            worst = min(scores)
            missing = [2 * worst - 1 if worst < 0 else 0.0] * (len(folds) - number)
            metrics = {
                SCORE: fmean([*scores, *missing]) if is_last or is_judged else math.nan,
                FOLD_SCORE: scores[-1],
                "fold_loss": -scores[-1],  # shows that a fold went well where there is no score yet
                FIT_SECONDS: fit_s,
                **{name: fmean(values) for name, values in further.items()},
            }
            yield OwnStep(metrics, is_last)

    def fitted(self, estimator: Any, rows: Any = None) -> Any:
        """Return an estimator, fitted on some of the examples.

        Args:
            estimator: The estimator.
            rows: The numbers of the examples; None: all.
        """
        weights: Mapping[str, Any] = {}
        if self.sample_weight is not None and "sample_weight" in inspect.signature(estimator.fit).parameters:
            weights = {"sample_weight": rows_of(self.sample_weight, rows)}
        estimator.fit(rows_of(self.x, rows), rows_of(self.y, rows), **weights)
        return estimator

    def _score(self, estimator: Any, x: Any, y: Any, sample_weight: Any) -> float:
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        score = estimator.score(x, y, **weights) if self.scorer is None else self.scorer(estimator, x, y, **weights)
        return float(score)


def rows_of(value: Any, rows: Any) -> Any:
    """Return some rows of an array or a frame; None of None, and all where no rows are named."""
    if value is None or rows is None:
        return value
    return value.iloc[rows] if hasattr(value, "iloc") else np.asarray(value)[rows]


def scorer_of(scoring: Any) -> Any:
    """Return a scorer from one, or from its name; None from None."""
    if not isinstance(scoring, str):
        return scoring
    from sklearn.metrics import get_scorer

    return get_scorer(scoring)
