"""KerasTuner's interface to our runs: ``import tune_jobs.keras_tuner as kt`` in place of ``import keras_tuner as kt``.

KerasTuner itself is not needed. ``docs/keras_tuner.md`` tells what is the same, what is different, and what is refused.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
    from tune_jobs.keras_tuner.errors import FailedTrialError, FatalError
    from tune_jobs.keras_tuner.hypermodel import HyperModel
    from tune_jobs.keras_tuner.objective import Objective
    from tune_jobs.keras_tuner.oracle import Oracle
    from tune_jobs.keras_tuner.sklearn_tuner import SklearnTuner
    from tune_jobs.keras_tuner.tuner import Tuner
    from tune_jobs.keras_tuner.tuners import ASHA, BayesianOptimization, GridSearch, Hyperband, HyperOpt, RandomSearch

__all__ = [
    "ASHA",
    "BayesianOptimization",
    "FailedTrialError",
    "FatalError",
    "GridSearch",
    "HyperModel",
    "HyperOpt",
    "HyperParameters",
    "Hyperband",
    "Objective",
    "Oracle",
    "RandomSearch",
    "SklearnTuner",
    "Tuner",
]

_ROOM = "tune_jobs.keras_tuner"
_HOMES = {
    f"{_ROOM}.define_by_run.hyperparameters": ("HyperParameters",),
    f"{_ROOM}.errors": ("FailedTrialError", "FatalError"),
    f"{_ROOM}.hypermodel": ("HyperModel",),
    f"{_ROOM}.objective": ("Objective",),
    f"{_ROOM}.oracle": ("Oracle",),
    f"{_ROOM}.sklearn_tuner": ("SklearnTuner",),
    f"{_ROOM}.tuner": ("Tuner",),
    f"{_ROOM}.tuners": ("ASHA", "BayesianOptimization", "GridSearch", "HyperOpt", "Hyperband", "RandomSearch"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = ("errors", "oracles", "tuners")
_NOT_HERE = {
    "applications": "take a model of keras.applications in build_model, and ask `hp` for what varies",
    "synchronized": "an oracle is not locked here: the workers of a search never call it",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _MODULES:
        return import_module(f"{_ROOM}.{name}")
    if name in _NOT_HERE:
        raise AttributeError(f"tune_jobs.keras_tuner has no {name}: {_NOT_HERE[name]}.")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
