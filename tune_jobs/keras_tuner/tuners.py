"""The tuners: one for each way to search, made of its oracle."""

from __future__ import annotations

import sys
from typing import Any

from tune_jobs.keras_tuner.oracles import (
    ASHAOracle,
    BayesianOptimizationOracle,
    GridSearchOracle,
    HyperbandOracle,
    HyperOptOracle,
    RandomSearchOracle,
)
from tune_jobs.keras_tuner.sklearn_tuner import SklearnTuner
from tune_jobs.keras_tuner.tuner import Tuner

__all__ = [
    "ASHA",
    "BayesianOptimization",
    "GridSearch",
    "HyperOpt",
    "Hyperband",
    "RandomSearch",
    "SklearnTuner",
    "Tuner",
]

_OLD_NAMES = {"Sklearn": SklearnTuner, "MultiExecutionTuner": Tuner}
"""The names that these tuners had in ``kerastuner.tuners``."""

_OF_ORACLES = (
    "seed",
    "hyperparameters",
    "tune_new_entries",
    "allow_new_entries",
    "max_retries_per_trial",
    "max_consecutive_failed_trials",
)


def _for_oracle(others: dict[str, Any]) -> dict[str, Any]:
    return {name: others.pop(name) for name in _OF_ORACLES if name in others}


class RandomSearch(Tuner):
    """Random search, in which no configuration comes twice.

    Args:
        hypermodel: A function ``build_model(hp)``, or a ``HyperModel``.
        objective: The objective: the name of a metric, an ``Objective``, or a list of these.
        max_trials: The number of trials.
        others: The arguments of ``Oracle`` and of ``Tuner``.

    Example:
        >>> import keras
        >>> import tune_jobs.keras_tuner as kt
        >>> def build_model(hp):
        ...     model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 8, 32, step=8))])
        ...     model.compile("sgd", "mse")
        ...     return model
        >>> tuner = kt.RandomSearch(build_model, objective="val_loss", max_trials=3, directory="searches")
        >>> tuner.search_space_summary()
        Search space summary
        Default search space size: 1
        units (Int)
        {'default': None, 'conditions': [], 'min_value': 8, 'max_value': 32, 'step': 8, 'sampling': 'linear'}
    """

    def __init__(self, hypermodel: Any = None, objective: Any = None, max_trials: int = 10, **others: Any) -> None:
        oracle = RandomSearchOracle(objective, max_trials, **_for_oracle(others))
        super().__init__(oracle, hypermodel, **others)


class GridSearch(Tuner):
    """Grid search: each configuration once, in order. A range without steps has ten values.

    Args:
        hypermodel: A function ``build_model(hp)``, or a ``HyperModel``.
        objective: The objective.
        max_trials: The number of trials at most; None: all configurations.
        others: The arguments of ``Oracle`` and of ``Tuner``.
    """

    def __init__(
        self, hypermodel: Any = None, objective: Any = None, max_trials: int | None = None, **others: Any
    ) -> None:
        oracle = GridSearchOracle(objective, max_trials, **_for_oracle(others))
        super().__init__(oracle, hypermodel, **others)


class BayesianOptimization(Tuner):
    """Bayesian optimisation with a Gaussian process.

    Args:
        hypermodel: A function ``build_model(hp)``, or a ``HyperModel``.
        objective: The objective.
        max_trials: The number of trials.
        num_initial_points: The number of random trials before there is a model; None: 5.
        others: The arguments of ``Oracle`` and of ``Tuner``.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int = 10,
        num_initial_points: int | None = None,
        **others: Any,
    ) -> None:
        own = {name: others.pop(name) for name in ("alpha", "beta") if name in others}
        oracle = BayesianOptimizationOracle(objective, max_trials, num_initial_points, **own, **_for_oracle(others))
        super().__init__(oracle, hypermodel, **others)


class HyperOpt(Tuner):
    """The tree-structured Parzen estimator of HyperOpt, which KerasTuner does not have.

    Args:
        hypermodel: A function ``build_model(hp)``, or a ``HyperModel``.
        objective: The objective.
        max_trials: The number of trials.
        others: The arguments of ``Oracle`` and of ``Tuner``.
    """

    def __init__(self, hypermodel: Any = None, objective: Any = None, max_trials: int = 10, **others: Any) -> None:
        super().__init__(HyperOptOracle(objective, max_trials, **_for_oracle(others)), hypermodel, **others)


class ASHA(Tuner):
    """HyperOpt's proposals, of which the worse trials are stopped early (ASHA). KerasTuner does not have it.

    Args:
        hypermodel: A function ``build_model(hp)``, or a ``HyperModel``.
        objective: The objective.
        max_epochs: The number of epochs of a trial that nothing stops; ``epochs`` of ``search`` is not used.
        factor: The best ``1 / factor`` of the trials go on after 1, factor, factor², … epochs.
        max_trials: The number of trials.
        others: The arguments of ``Oracle`` and of ``Tuner``.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        max_trials: int = 10,
        **others: Any,
    ) -> None:
        oracle = ASHAOracle(objective, max_epochs, factor, max_trials, **_for_oracle(others))
        super().__init__(oracle, hypermodel, **others)


class Hyperband(Tuner):
    """Hyperband, whose brackets run side by side and without waiting.

    Args:
        hypermodel: A function ``build_model(hp)``, or a ``HyperModel``.
        objective: The objective.
        max_epochs: The number of epochs of a trial that nothing stops; ``epochs`` of ``search`` is not used.
        factor: The best ``1 / factor`` of the trials of a bracket go on after 1, factor, factor², … epochs.
        hyperband_iterations: The number of times that all brackets are run.
        max_trials: The number of trials; None: as many as KerasTuner's brackets have. KerasTuner has no such argument.
        others: The arguments of ``Oracle`` and of ``Tuner``.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int = 1,
        max_trials: int | None = None,
        **others: Any,
    ) -> None:
        oracle = HyperbandOracle(
            objective, max_epochs, factor, hyperband_iterations, max_trials=max_trials, **_for_oracle(others)
        )
        super().__init__(oracle, hypermodel, **others)


def __getattr__(name: str) -> object:
    if name in _OLD_NAMES:
        return _OLD_NAMES[name]
    module = sys.modules.get(f"{__name__}.{name}")  # randomsearch, hyperband …: KerasTuner's modules
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return module
