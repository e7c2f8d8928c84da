"""The public API of the installed KerasTuner, as a table of what of it is here: for docs/keras_tuner.md.

python -m benchmarks.keras_tuner_api
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from benchmarks.figures import parser_of, write_figures

MODULES = ("", "tuners", "oracles", "errors", "applications", "engine.hyperparameters", "engine.trial")
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
}
"""What is better here, by the name."""

PARTLY = {"Oracle": "its subclasses are here; one with a `populate_space` of its own is refused"}
"""What is here in part."""

OTHERWISE = {
    "synchronized": "an oracle is not locked here: workers never call it",
    "serialize": "`hp.get_config()`",
    "deserialize": "`HyperParameters.from_config()`",
    "applications": "models of `keras.applications` in `build_model`",
}
"""What to use instead of names that are not here."""


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield each public name of KerasTuner, whether it is here, and what is better or to be used instead."""
    for module in MODULES:
        theirs = import_module(f"keras_tuner.{module}".rstrip("."))
        ours = _ours(module)
        for name in sorted(vars(theirs)):
            value = getattr(theirs, name)
            if name.startswith("_") or (inspect.ismodule(value) and (module or name == "src")):
                continue
            shown = f"{module}.{name}".lstrip(".")
            if module == "applications" or name in OTHERWISE or ours is None or not hasattr(ours, name):
                yield shown, "not there", OTHERWISE.get(name, OTHERWISE.get(module, ""))
            elif name in PARTLY:
                yield shown, "in part", PARTLY[name]
            elif name in BETTER:
                yield shown, "better", BETTER[name]
            else:
                yield shown, "same", ""


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


def _ours(module: str) -> Any:
    try:
        return import_module(f"tune_jobs.keras_tuner.{module}".rstrip("."))
    except ImportError:
        return None


def main() -> None:
    """Print the table, and the arguments that are refused."""
    options = parser_of(__doc__).parse_args()
    print(table())
    print(f"\nArguments that are refused: {', '.join(lost_arguments())}.")
    write_figures(options, list(rows()))


if __name__ == "__main__":
    main()
