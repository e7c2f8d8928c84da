"""The public API of the installed KerasTuner, as a table of what of it is here: for docs/keras_tuner.md.

python -m benchmarks.keras_tuner_api
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from benchmarks.figures import parser_of, write_figures

BETTER = {
    "BayesianOptimization": "no configuration twice; no `alpha`, `beta`",
    "FailedTrialError": "the trial is a row",
    "GridSearch": "ten values of a range without steps, its ends among them, in order",
    "HyperModel": "`fit` may return a dictionary, also of several metrics",
    "HyperParameters": "steps reach the maximum; a Choice may mix types",
    "Hyperband": "brackets side by side, without waiting",
    "Objective": "the direction that a name implies is right",
    "RandomSearch": "`seed=0` is a seed",
    "SklearnTuner": "`cv_results_`; the best ones are fitted again on all examples",
    "Tuner": "`address`, `resources`, `max_concurrent_trials`, `warm_start`, `run`",
    "infer_metric_direction": "right for `val_f1_score` and its like",
}
"""What is better here, by the name."""

OF_INSTANCES = ("space", "values", "verbose")
"""Attributes that each instance has here, and not its class."""

PARTLY = {"Oracle": "its subclasses are here; one with a `populate_space` of its own is refused"}
"""What is here in part."""


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield each public name of KerasTuner, whether it is here, and what is better or to be used instead."""
    for module in _modules():
        theirs = import_module(f"keras_tuner.{module}".rstrip("."))
        for name in sorted(vars(theirs)):
            value = getattr(theirs, name)
            if name.startswith("_") or inspect.ismodule(value):
                continue
            shown = f"{module}.{name}".lstrip(".")
            ours, instead = _found(module, name)
            if ours is None:
                yield shown, "not there", instead
            elif name in PARTLY:
                yield shown, "in part", PARTLY[name]
            elif name in BETTER:
                yield shown, "better", BETTER[name]
            else:
                yield shown, "same", ""


def lost_methods() -> Iterator[str]:
    """Yield the classes of KerasTuner with those of their public methods that are not here: ``Trial: load, save``."""
    lost: dict[str, dict[str, None]] = {}
    for module in _modules():
        theirs = import_module(f"keras_tuner.{module}".rstrip("."))
        for name, kind in sorted(vars(theirs).items()):
            ours, _ = _found(module, name)
            if not inspect.isclass(kind) or ours is None:
                continue
            for method in dir(kind):
                owner = next(base for base in kind.__mro__ if method in vars(base))
                if not method.startswith("_") and not hasattr(ours, method) and method not in OF_INSTANCES:
                    lost.setdefault(owner.__name__, {})[method] = None
    yield from (f"{owner}: {', '.join(sorted(methods))}" for owner, methods in sorted(lost.items()))


def lost_arguments() -> Iterator[str]:
    """Yield each argument of a tuner or an oracle of KerasTuner that is refused here, as ``RandomSearch.logger``."""
    kt = import_module("keras_tuner")
    accepted = {"hypermodel", "objective", "max_trials", "max_epochs", "factor", "hyperband_iterations", "oracle"}
    accepted |= {"seed", "hyperparameters", "tune_new_entries", "allow_new_entries", "num_initial_points"}
    accepted |= {"max_retries_per_trial", "max_consecutive_failed_trials", "max_model_size", "optimizer", "loss"}
    accepted |= {"metrics", "directory", "project_name", "overwrite", "executions_per_trial", "scoring", "cv"}
    for name in ("RandomSearch", "GridSearch", "BayesianOptimization", "Hyperband", "SklearnTuner", "Tuner"):
        for argument, parameter in inspect.signature(getattr(kt, name).__init__).parameters.items():
            is_named = parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
            if argument != "self" and is_named and argument not in accepted:
                yield f"{name}.{argument}"


def table() -> str:
    """Return the table in Markdown."""
    lines = ["| name | here | |", "|---|---|---|"]
    return "\n".join(
        [*lines, *(f"| `{name}` | {state} | {note} |".replace("|  |", "| |") for name, state, note in rows())]
    )


def _modules(package: str = "") -> Iterator[str]:
    """Yield the public packages of KerasTuner, as "engine.trial"; "" is KerasTuner itself."""
    yield package
    for module in pkgutil.iter_modules(import_module(f"keras_tuner.{package}".rstrip(".")).__path__):
        if module.ispkg and module.name != "src":
            yield from _modules(f"{package}.{module.name}".lstrip("."))


def _found(module: str, name: str) -> tuple[Any, str]:
    """Return what a name of KerasTuner is here, or None and what to use instead."""
    try:
        return getattr(import_module(f"tune_jobs.keras_tuner.{module}".rstrip(".")), name), ""
    except NotImplementedError as error:
        return None, str(error).partition(": ")[2].rstrip(".").replace("|", "/")
    except (AttributeError, ImportError):
        return None, ""


def main() -> None:
    """Print the table, the arguments that are refused, and the methods that are not there."""
    options = parser_of(__doc__).parse_args()
    print(table())
    print(f"\nArguments that are refused: {', '.join(lost_arguments())}.")
    print(f"\nMethods that are not there: {'; '.join(lost_methods())}.")
    write_figures(options, list(rows()))


if __name__ == "__main__":
    main()
