"""From a name, a file or a module to the experiment that it declares, with all mistakes told at once."""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from search_spaces.checked import deferred_checks
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.loading.importing import import_file, import_module
from tune_jobs.loading.shipped import shipped

__all__ = ["Loaded", "load", "shipped"]

_WAYS = "a shipped name, a file (path/to/file.py, or file.py:NAME), or a module (pkg.mod:NAME)"


@dataclass(frozen=True)
class Loaded:
    """An experiment, and what to call it.

    Attributes:
        experiment: What was declared; nothing is wrong with it.
        name: Its name: the shipped one, or that of its file or module, with its own where that holds several.
        description: The docstring of its file, "" where there is none.
        reference: Names it from any folder.
    """

    experiment: Experiment
    name: str
    description: str = ""
    reference: str = ""


def load(
    reference: str,
    change: Callable[[Experiment], Experiment] | None = None,
    check: Callable[[Experiment], list[str]] = Experiment.problems,
) -> Loaded:
    """Finds the experiment that a person names, and checks it whole.

    Args:
        reference: A shipped name, a file (``path/to/file.py``, ``file.py:NAME``), or a module
            (``pkg.mod:NAME``).
        change: What is changed in it before it is checked.
        check: Tells all that is wrong with it.

    Raises:
        RequestError: There is none, or anything is wrong with it; all mistakes are listed.
    """
    target, name = split_reference(reference)
    with deferred_checks():
        module = _import(target, name)
        found = _experiments(module)
        variable = _pick(target, module, found, name)
        experiment: Experiment = getattr(module, variable)
        if change:
            experiment = change(experiment)
    if problems := check(experiment):
        raise RequestError(*problems)
    if _is_file(target):
        _send_by_value(module)
    base = Path(target).stem if _is_file(target) else target.rpartition(".")[2]
    called = base if len(found) < 2 else f"{base}-{variable}"
    place = str(Path(target).resolve()) if _is_file(target) else target
    again = place if target in _names() else f"{place}:{variable}"
    return Loaded(experiment, called, inspect.cleandoc(module.__doc__ or ""), again)


def split_reference(reference: str) -> tuple[str, str | None]:
    """What holds the experiment, and the experiment's name in it when one is given."""
    target, colon, name = reference.rpartition(":")
    if colon and target and name.isidentifier():
        return target, name
    return reference, None


def file_named(reference: str) -> Path | None:
    """The file that a reference names; None where it names something shipped, or a module."""
    target, _ = split_reference(reference)
    return Path(target) if target not in _names() and _is_file(target) else None


def _import(target: str, name: str | None) -> ModuleType:
    names = [each for each, _ in shipped()]
    if target in names:
        return import_module(f"tune_jobs.examples.{target}")
    if _is_file(target):
        return import_file(_existing(Path(target)))
    parts = target.split(".")
    if (name is not None or len(parts) > 1) and all(part.isidentifier() for part in parts):
        return import_module(target)
    raise RequestError(f"There is no experiment {target!r}. {_suggestion(target, names)} Name {_WAYS}.")


def _is_file(target: str) -> bool:
    return target.endswith(".py") or os.sep in target or Path(target).is_file()


def _existing(path: Path) -> Path:
    if path.is_dir():
        raise RequestError(f"{path} is a folder, but must be a file: name one, such as {path / 'experiment.py'}.")
    if not path.exists():
        beside = [each.name for each in path.parent.glob("*.py")]
        near = difflib.get_close_matches(path.name, beside, n=1)
        hint = f"Did you mean {path.with_name(near[0])}?" if near else _suggestion(path.stem, _names())
        raise RequestError(f"The file {path} does not exist. {hint}")
    return path


def _names() -> list[str]:
    return [name for name, _ in shipped()]


def _suggestion(name: str, names: list[str]) -> str:
    own = Path(f"{name}.py")
    if own.is_file():
        return f"Did you mean the file {own}?"
    if near := difflib.get_close_matches(name, names, n=1, cutoff=0.5):
        return f"Did you mean {near[0]}?"
    return f"Shipped are: {', '.join(names)}."


def _experiments(module: ModuleType) -> dict[str, Experiment]:
    """The experiments of a module by name; an alias counts once, and a name with an underscore is private."""
    found: dict[str, Experiment] = {}
    for name, value in vars(module).items():
        is_new = isinstance(value, Experiment) and not any(value is other for other in found.values())
        if is_new and not name.startswith("_"):
            found[name] = value
    return found


def _pick(target: str, module: ModuleType, found: dict[str, Experiment], name: str | None) -> str:
    if name is not None:
        return _named(target, module, found, name)
    if not found:
        raise RequestError(
            f"{target} has no experiment. Assign one: EXPERIMENT = Experiment(trainable=…, space=…, objective=…)."
        )
    if len(found) > 1:
        choices = " or ".join(f"{target}:{each}" for each in found)
        raise RequestError(f"{target} has {len(found)} experiments, so one must be named: {choices}.")
    return next(iter(found))


def _named(target: str, module: ModuleType, found: dict[str, Experiment], name: str) -> str:
    value: Any = getattr(module, name, None)
    if isinstance(value, Experiment):
        return name
    there = f"Its experiments: {', '.join(found)}." if found else "It has no experiments at all."
    if not hasattr(module, name):
        raise RequestError(f"{target} has no {name}. {there}")
    raise RequestError(f"{target}:{name} is of type {type(value).__name__}, but must be an Experiment. {there}")


def _send_by_value(module: ModuleType) -> None:
    # Workers get the code itself: they have neither the file nor its made-up module name.
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]
