"""A search for estimators of scikit-learn: each configuration is cross-validated, one fold a step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trainables.cross_validation import SCORE, CrossValidation, scorer_of
from trainables.steps import OwnStep
from tune_jobs.analysis.cv_results import cv_frame
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.errors import FatalRuntimeError, FatalValueError
from tune_jobs.keras_tuner.fit_arguments import FitArguments
from tune_jobs.keras_tuner.hypermodel import build
from tune_jobs.keras_tuner.objective import Objective
from tune_jobs.keras_tuner.oracle import Oracle
from tune_jobs.keras_tuner.planning import SearchPlan
from tune_jobs.keras_tuner.trial import Trial
from tune_jobs.keras_tuner.tuner import Tuner

if TYPE_CHECKING:
    import pandas as pd

_OBJECTIVE = Objective(SCORE, "max")


class SklearnTuner(Tuner):
    """A search for estimators and pipelines of scikit-learn, with cross-validation.

    Args:
        oracle: The oracle. Its objective is ``Objective("score", "max")``. With ``HyperbandOracle`` or ``ASHAOracle``,
            configurations that are worse after some folds are stopped: a fold that is still to come counts as 0, or as
            worse than the worst so far if that is negative.
        hypermodel: A function ``build_model(hp)`` that returns an estimator, or a ``HyperModel``.
        scoring: A scorer of scikit-learn, or its name; None: the estimator's own ``score``.
        metrics: Further functions ``metric(y_true, y_predicted)``, or one.
        cv: A splitter, or a number of folds; None: five folds, shuffled.
        others: The arguments of ``Tuner``.

    Example:
        >>> import tune_jobs.keras_tuner as kt
        >>> from sklearn.linear_model import RidgeClassifier
        >>> def build_model(hp):
        ...     return RidgeClassifier(alpha=hp.Float("alpha", 1e-3, 10, sampling="log"))
        >>> oracle = kt.oracles.BayesianOptimizationOracle(kt.Objective("score", "max"), max_trials=10)
        >>> tuner = kt.SklearnTuner(oracle, build_model, directory="searches", project_name="ridge")
        >>> list(tuner.oracle.found.space.parameters)
        ['alpha']
    """

    def __init__(
        self,
        oracle: Oracle,
        hypermodel: Any = None,
        scoring: Any = None,
        metrics: Any = None,
        cv: Any = None,
        **others: Any,
    ) -> None:
        if hypermodel is None:
            raise FatalValueError(
                "The value of `hypermodel` is None, but must be a function that returns an estimator."
            )
        if isinstance(oracle, Oracle) and oracle.objective != _OBJECTIVE:
            raise FatalValueError(
                f'The objective is {oracle.objective}, but must be kt.Objective("score", "max"): for a scorer, more is '
                "better."
            )
        if others.get("executions_per_trial", 1) != 1:
            raise FatalValueError("SklearnTuner has no `executions_per_trial`: give `cv` more folds.")
        super().__init__(oracle, hypermodel, **others)
        self.scoring = scorer_of(scoring)
        self.metrics = list(metrics) if isinstance(metrics, list | tuple) else [] if metrics is None else [metrics]
        self.cv = _splitter(cv)
        self._examples: tuple[Any, Any, Any] | None = None
        self._folds = 0

    def search(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, **others: Any) -> None:  # noqa: N803
        """Cross-validate one configuration after another, as many side by side as fit.

        Args:
            X: The examples: an array or a frame.
            y: The labels.
            sample_weight: The weight of each example.
            groups: The group of each example, for splitters that need it.
            others: ``verbose``.
        """
        self._examples = (X, y, sample_weight)
        self._folds = int(self.cv.get_n_splits(X, y, groups))
        super().search(X, y, sample_weight, groups, **others)

    def trial_steps(self, trial: Trial, *args: Any, **_: Any) -> Iterator[OwnStep]:
        """Yield the scores after each fold of a trial.

        Args:
            trial: The trial.
            args: The examples, the labels, the weights and the groups.
        """
        x, y, sample_weight, groups, *_rest = (*args, None, None)
        yield from self._validation(x, y, sample_weight, groups).steps(
            lambda: self._built(trial.hyperparameters), is_judged=self.oracle.epochs(1) != 1
        )

    def load_model(self, trial: Trial) -> Any:
        """Return the estimator of a trial, fitted on all examples that ``search`` got.

        Raises:
            FatalRuntimeError: ``search`` has not been called in this process, so the examples are not known.
        """
        if self._examples is None:
            raise FatalRuntimeError(
                "The examples are not known before search() is called in this process: call it, or fit the estimator "
                "yourself: tuner.hypermodel.build(tuner.get_best_hyperparameters()[0]).fit(X, y)."
            )
        return self._validation(*self._examples).fitted(self._built(trial.hyperparameters))

    @property
    def cv_results_(self) -> pd.DataFrame:
        """The trials as a frame with the columns of ``GridSearchCV.cv_results_``, in the order of their numbers."""
        history = self.run.history()
        known = self.oracle.found.grown(history.met)
        return cv_frame((dict(known.hyperparameters(trial.config).values), trial) for trial in history.trials.values())

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_examples": None}

    def _plan(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SearchPlan:
        return SearchPlan(self.oracle.found, FitArguments(epochs=self._folds), None, True, args, kwargs)

    def _experiment(self, plan: SearchPlan) -> Experiment:
        experiment = super()._experiment(plan)
        return replace(experiment, max_epochs=self._folds, scheduler=self.oracle.scheduler(self._folds))

    def _built(self, hp: HyperParameters) -> Any:
        assert self.hypermodel is not None  # noqa: S101 - the constructor has looked
        return build(self.hypermodel, hp)

    def _validation(self, x: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> CrossValidation:
        return CrossValidation(x, y, self.cv, self.scoring, sample_weight, groups, tuple(self.metrics))


def _splitter(cv: Any) -> Any:
    from sklearn.model_selection import KFold

    if cv is None or isinstance(cv, int):
        return KFold(5 if cv is None else cv, shuffle=True, random_state=1)
    return cv
