"""KerasTuner's interface to our runs: ``import tune_jobs.keras_tuner as kt`` in place of ``import keras_tuner as kt``.

KerasTuner itself is not needed. ``docs/keras_tuner.md`` tells what is the same, what is different, and what is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
    from tune_jobs.keras_tuner.errors import FailedTrialError, FatalError
    from tune_jobs.keras_tuner.hypermodel import HyperModel
    from tune_jobs.keras_tuner.objective import Objective
    from tune_jobs.keras_tuner.oracle import Oracle
    from tune_jobs.keras_tuner.projects.theirs import convert_search
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
    "convert_search",
]

_ROOM = "tune_jobs.keras_tuner"
_HOMES = {
    f"{_ROOM}.define_by_run.hyperparameters": ("HyperParameters",),
    f"{_ROOM}.errors": ("FailedTrialError", "FatalError"),
    f"{_ROOM}.hypermodel": ("HyperModel",),
    f"{_ROOM}.objective": ("Objective",),
    f"{_ROOM}.oracle": ("Oracle",),
    f"{_ROOM}.projects.theirs": ("convert_search",),
    f"{_ROOM}.sklearn_tuner": ("SklearnTuner",),
    f"{_ROOM}.tuner": ("Tuner",),
    f"{_ROOM}.tuners": ("ASHA", "BayesianOptimization", "GridSearch", "HyperOpt", "Hyperband", "RandomSearch"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = ("errors", "oracles", "tuners")
_BY_OLD_NAMES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "applications": {},
    "distribute": {},
    "engine": {},
    "engine.base_tuner": {"BaseTuner": ("tuner", "Tuner")},
    "engine.hypermodel": {"HyperModel": ("hypermodel", "HyperModel")},
    "engine.hyperparameters": {
        "HyperParameters": ("define_by_run.hyperparameters", "HyperParameters"),
        "HyperParameter": ("define_by_run.parameters", "HyperParameter"),
        **{kind: ("define_by_run.parameters", kind) for kind in ("Boolean", "Choice", "Fixed", "Float", "Int")},
        "deserialize": ("define_by_run.parameters", "from_config"),
        "serialize": ("define_by_run.parameters", "to_config"),
    },
    "engine.logger": {},
    "engine.metrics_tracking": {"infer_metric_direction": ("objective", "implied_direction")},
    "engine.multi_execution_tuner": {"MultiExecutionTuner": ("tuner", "Tuner")},
    "engine.oracle": {"Oracle": ("oracle", "Oracle"), "Objective": ("objective", "Objective")},
    "engine.objective": {"Objective": ("objective", "Objective")},
    "engine.trial": {"Trial": ("trial", "Trial"), "TrialStatus": ("trial", "TrialStatus")},
    "engine.tuner": {"Tuner": ("tuner", "Tuner")},
    "tuners.bayesian": {
        "BayesianOptimization": ("tuners", "BayesianOptimization"),
        "BayesianOptimizationOracle": ("oracles", "BayesianOptimizationOracle"),
    },
    "tuners.gridsearch": {
        "GridSearch": ("tuners", "GridSearch"),
        "GridSearchOracle": ("oracles", "GridSearchOracle"),
    },
    "tuners.hyperband": {"Hyperband": ("tuners", "Hyperband"), "HyperbandOracle": ("oracles", "HyperbandOracle")},
    "tuners.randomsearch": {
        "RandomSearch": ("tuners", "RandomSearch"),
        "RandomSearchOracle": ("oracles", "RandomSearchOracle"),
    },
    "tuners.sklearn_tuner": {"SklearnTuner": ("tuners", "SklearnTuner"), "Sklearn": ("tuners", "SklearnTuner")},
}
"""KerasTuner's modules that tutorials import from, and where their names are here."""
_IN_BUILD_MODEL = "take a model of keras.applications in build_model, and ask `hp` for what varies"
_NOT_HERE = {
    "applications.HyperEfficientNet": _IN_BUILD_MODEL,
    "applications.HyperImageAugment": "put keras.layers.RandomFlip and its like into build_model, and ask `hp` for "
    "their factors",
    "applications.HyperResNet": _IN_BUILD_MODEL,
    "applications.HyperXception": _IN_BUILD_MODEL,
    "distribute": "a search runs on all cores by itself, and on a cluster with kt.RandomSearch(…, address=…)",
    "engine.logger": "the run's journal has everything: tune-jobs leaderboard, curves and compare read it",
    "engine.tuner.maybe_distribute": "give each trial more of the machine: "
    "kt.RandomSearch(…, resources=tune_jobs.Resources(gpus=2))",
    "synchronized": "an oracle is not locked here, because the workers of a search never call it",
}
"""KerasTuner's names that are not here, or modules none of whose names are, and what to do instead."""


def _absent(name: str) -> Exception | None:
    """Return the error for a name of KerasTuner's that is not here; None for all other names."""
    from tune_jobs.keras_tuner.errors import NotSupported

    instead = next((_NOT_HERE[known] for known in (name, name.rpartition(".")[0]) if known in _NOT_HERE), None)
    return None if instead is None else NotSupported(f"tune_jobs.keras_tuner has no {name}: {instead}.")


class _OldModule(ModuleType):
    """A module of KerasTuner's: its names are looked up when they are asked for."""

    def __init__(self, name: str, names: Mapping[str, tuple[str, str]]) -> None:
        super().__init__(f"{_ROOM}.{name}")
        self.__path__: list[str] = []
        self.__all__ = list(names)
        self._names = names

    def __getattr__(self, name: str) -> object:
        names = self.__dict__.get("_names", {})
        if name in names:
            home, original = names[name]
            return getattr(import_module(f"{_ROOM}.{home}"), original)
        if not name.startswith("_") and (error := _absent(f"{self.__name__.removeprefix(_ROOM)[1:]}.{name}")):
            raise error
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


def _make_old_modules() -> None:
    for name, names in _BY_OLD_NAMES.items():
        module = _OldModule(name, names)
        sys.modules[module.__name__] = module
        parent, _, own_name = name.rpartition(".")
        holder = sys.modules.get(f"{_ROOM}.{parent}" if parent else _ROOM)
        if holder is not None:  # `tuners` is imported when it is asked for
            setattr(holder, own_name, module)


_make_old_modules()


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _MODULES:
        return import_module(f"{_ROOM}.{name}")
    if name == "__version__":
        return import_module("tune_jobs").__version__
    if error := _absent(name):
        raise error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
