"""Loading of an experiment by a reference: a shipped name, a file, or a module."""

from __future__ import annotations

import difflib
import inspect
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, chdir, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from search_spaces.checked import deferred_checks
from search_spaces.messages import short_repr
from trainables.before_ray.sent_class import send_by_value
from trainables.exits import described
from trainables.tensorflow_log import quiet_tensorflow
from tune_jobs.base.named_files import exists, is_file, is_folder, name_problem
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.host.surroundings import folder_kept
from tune_jobs.loading.importing import check_syntax, import_file, import_module
from tune_jobs.loading.shipped import shipped_names

_WAYS = "a shipped name, a file (path/to/file.py, or file.py:NAME), or a module (pkg.mod:NAME)"

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """An experiment with its name.

    Attributes:
        experiment: The experiment; nothing is wrong with it.
        name: The shipped name, or the name of the file or module. If that holds several experiments, the name of the
            experiment's variable follows.
        description: The docstring of the file; "" if it has none.
        reference: The reference by which the experiment can be loaded from any folder.
        folder: The current folder that the code wants; None: it left that as it was.
    """

    experiment: Experiment
    name: str
    description: str = ""
    reference: str = ""
    folder: Path | None = None

    def anchored(self, location: Path | str) -> Path | str:
        """Return a folder by which it is found from the experiment's current folder, too. A URI stays as it is."""
        return location.absolute() if self.folder is not None and isinstance(location, Path) else location

    def in_its_folder(self) -> AbstractContextManager[None]:
        """Work in the current folder that the experiment's code wants, from which it may read files."""
        return nullcontext() if self.folder is None else chdir(self.folder)


def load(
    reference: str,
    change: Callable[[Experiment], Experiment] | None = None,
    check: Callable[[Experiment], list[str]] = Experiment.problems,
) -> Loaded:
    """Return the experiment that a person names, checked as a whole.

    Args:
        reference: A shipped name, a file (``path/to/file.py``, ``file.py:NAME``), or a module (``pkg.mod:NAME``).
        change: Changes the experiment before it is checked; None: it stays as it is.
        check: Returns all that is wrong with the experiment, a sentence each.

    Raises:
        RequestError: There is no such experiment, or something is wrong with it; all mistakes are listed.
    """
    quiet_tensorflow()  # before the experiment imports it
    target, name = split_reference(reference)
    with deferred_checks():
        with folder_kept() as changed_to:
            module = _import(target, name)
        experiments = _experiments_of(module)
        variable = _pick(target, module, experiments, name)
        experiment: Experiment = getattr(module, variable)
        if change:
            experiment = change(experiment)
    if _is_file(target):
        send_by_value(module)  # before the check, which tries whether the trainable can be sent
    if problems := check(experiment):
        raise RequestError(*problems)
    if _is_file(target):
        base, location = Path(target).stem, str(Path(target).resolve())
    else:
        base, location = target.rpartition(".")[2], target
    _LOG.info("Loaded the experiment %s of %s", variable, location)
    return Loaded(
        experiment,
        name=base if len(experiments) < 2 else f"{base}-{variable}",
        description=inspect.cleandoc(module.__doc__) if isinstance(module.__doc__, str) else "",
        reference=location if target in shipped_names() else f"{location}:{variable}",
        folder=changed_to(),
    )


def check_reference(reference: str) -> None:
    """Raise an error if nothing can be loaded by a reference, as far as it is known before anything is imported.

    Args:
        reference: A reference, as ``load`` takes it.

    Raises:
        RequestError: There is no such file, or it is no Python.
    """
    target, name = split_reference(reference)
    if target in shipped_names():
        return
    if _is_file(target):
        check_syntax(_existing(Path(target)))
    else:
        _check_module_name(target, name)


def split_reference(reference: str) -> tuple[str, str | None]:
    """Return the target of a reference (a shipped name, a file or a module), and the experiment's name in it.

    Args:
        reference: A reference, as ``load`` takes it.

    Returns:
        The target, and the name; None if the reference names no experiment of the target.
    """
    target, colon, name = reference.rpartition(":")
    if colon and target and name.isidentifier():
        return target, name
    return reference, None


def file_named(reference: str) -> Path | None:
    """Return the file that a reference names; None if it names a shipped experiment or a module.

    Args:
        reference: A reference, as ``load`` takes it.
    """
    target, _ = split_reference(reference)
    return Path(target) if target not in shipped_names() and _is_file(target) else None


def _import(target: str, name: str | None) -> ModuleType:
    if target in shipped_names():
        return import_module(f"tune_jobs.examples.{target}")
    if _is_file(target):
        return import_file(_existing(Path(target)))
    _check_module_name(target, name)
    return import_module(target)


def _check_module_name(target: str, name: str | None) -> None:
    parts = target.split(".")
    if (name is None and len(parts) == 1) or not all(part.isidentifier() for part in parts):
        suggestion = _suggestion(target, shipped_names())
        raise RequestError(f"There is no experiment {short_repr(target)}. {suggestion} Name {_WAYS}.")


def _is_file(target: str) -> bool:
    return target.endswith(".py") or os.sep in target or is_file(Path(target))


def _existing(path: Path) -> Path:
    if problem := name_problem(path):
        raise RequestError(f"No file can be called {short_repr(str(path))} ({problem}). Name {_WAYS}.")
    if is_folder(path):
        raise RequestError(f"{path} is a folder, but must be a file: name one, such as {path / 'experiment.py'}.")
    if not exists(path):
        siblings = [sibling.name for sibling in path.parent.glob("*.py")]
        similar = difflib.get_close_matches(path.name, siblings, n=1)
        hint = f"Did you mean {path.with_name(similar[0])}?" if similar else _suggestion(path.stem, shipped_names())
        raise RequestError(f"The file {path} does not exist. {hint}")
    if not is_file(path):
        raise RequestError(f"{path} is a pipe or a device, but must be a file: name one, such as experiment.py.")
    return path


def _suggestion(name: str, shipped: list[str]) -> str:
    file = Path(f"{name}.py")
    if is_file(file):
        return f"Did you mean the file {file}?"
    if similar := difflib.get_close_matches(name, shipped, n=1, cutoff=0.5):
        return f"Did you mean {similar[0]}?"
    return f"Shipped are: {', '.join(shipped)}."


def _experiments_of(module: ModuleType) -> dict[str, Experiment]:
    """Return the experiments of a module by name. An alias does not count, nor does a name with an underscore."""
    experiments: dict[str, Experiment] = {}
    for name, value in vars(module).items():
        is_new = isinstance(value, Experiment) and not any(value is other for other in experiments.values())
        if is_new and not name.startswith("_"):
            experiments[name] = value
    return experiments


def _pick(target: str, module: ModuleType, experiments: Mapping[str, Experiment], name: str | None) -> str:
    if name is not None:
        return _checked_name(target, module, experiments, name)
    if not experiments:
        raise RequestError(
            f"{target} has no experiment. Assign one: EXPERIMENT = Experiment(trainable=…, space=…, objective=…)."
        )
    if len(experiments) > 1:
        choices = " or ".join(f"{target}:{variable}" for variable in experiments)
        raise RequestError(f"{target} has {len(experiments)} experiments, so one must be named: {choices}.")
    return next(iter(experiments))


def _checked_name(target: str, module: ModuleType, experiments: Mapping[str, Experiment], name: str) -> str:
    try:
        value: Any = getattr(module, name, None)
    except Exception as error:  # the module's own __getattr__ may raise anything
        raise RequestError(f"{target} cannot give {name}: {described(error)}.") from error
    if isinstance(value, Experiment):
        return name
    remedy = f"Its experiments: {', '.join(experiments)}." if experiments else "It has no experiments at all."
    if not hasattr(module, name):
        raise RequestError(f"{target} has no {name}. {remedy}")
    raise RequestError(f"{target}:{name} is of type {type(value).__name__}, but must be an Experiment. {remedy}")
