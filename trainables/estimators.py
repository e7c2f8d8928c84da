"""Estimators of scikit-learn as trainables: each configuration is cross-validated, one fold a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from trainables.cross_validation import CrossValidation, scorer_of
from trainables.data import Data
from trainables.keras_trainable import KerasTrainable
from trainables.settings import InvalidTrainable, TrialSettings
from trainables.steps import OwnStep, OwnTraining
from trainables.trial import Trial, TrialTraining


class EstimatorTrainable(KerasTrainable):
    """The base of the trainables that ``cross_validated`` makes.

    Attributes:
        estimator: The estimator, or a function that returns the one of a configuration.
        validation: The examples, and how they are divided and scored.
    """

    estimator: ClassVar[Any]
    validation: ClassVar[CrossValidation]

    def build_model(self, config: dict[str, Any]) -> Any:
        """Return the estimator of a configuration, which was not fitted."""
        from sklearn.base import clone

        estimator = type(self).estimator
        return clone(estimator).set_params(**config) if hasattr(estimator, "set_params") else estimator(dict(config))

    def load_data(self) -> Data:
        """Return nothing of interest: the examples are part of the class."""
        return Data(train=(np.zeros((1, 1)), np.zeros(1)))

    def setup(self, config: dict[str, Any], data: Data | None = None, settings: TrialSettings | None = None) -> None:
        """Begin the first trial of this worker."""
        self._settings = settings or TrialSettings()
        super().setup(config, data, settings)

    @classmethod
    def user_code(cls) -> tuple[Any, ...]:
        """Return the function that makes the estimators, if there is one: a run remembers its code."""
        return () if hasattr(cls.estimator, "set_params") else (cls.estimator,)

    def _begin_training(self, trial: Trial) -> TrialTraining:
        return OwnTraining(_Folds(self, trial.parameters, self._settings), self._settings)


class _Folds:
    """The folds of one trial."""

    model = None

    def __init__(self, trainable: EstimatorTrainable, config: dict[str, Any], settings: TrialSettings) -> None:
        self._trainable = trainable
        self._config = config
        self._settings = settings

    def steps(self) -> Iterator[OwnStep]:
        """Yield the metrics after each fold."""
        validation: CrossValidation = type(self._trainable).validation
        yield from validation.steps(
            lambda: self._trainable.build_model(self._config),
            most=self._settings.max_epochs,
            is_judged=bool(self._settings.milestones),
        )

    def weights(self) -> list[np.ndarray]:
        """Return nothing: an estimator has no weights that are kept."""
        return []


def cross_validated(
    estimator: Any,
    x: Any,
    y: Any = None,
    *,
    cv: Any = 5,
    scoring: Any = None,
    metrics: Any = (),
    sample_weight: Any = None,
    groups: Any = None,
) -> type[KerasTrainable]:
    """Return the trainable of an estimator, for an experiment: each configuration is cross-validated, one fold a step.

    The objective of the experiment is ``Objective("score", "max")``, the mean score of all folds, and ``max_epochs`` is
    the number of folds. A scheduler may stop a configuration after some folds.

    Args:
        estimator: An estimator or a pipeline, whose parameters the space names as ``set_params`` does; or a function of
            a configuration that returns one.
        x: The examples: an array or a frame.
        y: The labels.
        cv: A splitter, or a number of folds, as in ``GridSearchCV``: each class has its share of each fold. Beside a
            function, labels that are no floats count as classes.
        scoring: A scorer, or its name; None: the estimator's own ``score``.
        metrics: Further functions ``metric(y_true, y_predicted)``.
        sample_weight: The weight of each example.
        groups: The group of each example, for splitters that need it.

    Raises:
        InvalidTrainable: The estimator is none.

    Example:
        >>> from search_spaces import Float, SearchSpace
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import RidgeClassifier
        >>> from trainables import TrialSettings, cross_validated
        >>> x, y = load_iris(return_X_y=True)
        >>> Ridge = cross_validated(RidgeClassifier(), x, y, cv=3)
        >>> trial = Ridge.standalone({"alpha": 0.1}, settings=TrialSettings("score", "max", max_epochs=3))
        >>> [round(trial.step()["metrics"]["fold_score"], 2) for _ in range(3)]
        [0.78, 0.84, 0.76]
    """
    from sklearn.base import is_classifier
    from sklearn.model_selection import check_cv

    is_instance = hasattr(estimator, "set_params") and not isinstance(estimator, type)
    if not is_instance and (isinstance(estimator, type) or not callable(estimator)):
        raise InvalidTrainable(
            f"The value of `estimator` is {estimator!r}, but must be an estimator of scikit-learn, or a function of a "
            "configuration that returns one."
        )
    validation = CrossValidation(
        x,
        y,
        check_cv(cv, y, classifier=is_classifier(estimator) if is_instance else _are_classes(y)),
        scorer_of(scoring),
        sample_weight,
        groups,
        tuple(metrics) if isinstance(metrics, list | tuple) else (metrics,),
    )
    name = getattr(estimator, "__name__", type(estimator).__name__)
    kept = estimator if is_instance else staticmethod(estimator)
    return type(name, (EstimatorTrainable,), {"estimator": kept, "validation": validation})


def _are_classes(y: Any) -> bool:
    """Return whether labels are those of a classifier, which a function does not tell: they are no floats."""
    return y is not None and np.asarray(y).dtype.kind != "f"
