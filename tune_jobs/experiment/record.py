"""The record of a run's experiment, experiment.json: written, read again, and compared with today's experiment."""

from __future__ import annotations

import difflib
import json
import platform
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from search_spaces import InvalidDeclaration, SearchSpace
from trainables.exits import message_of
from tune_jobs.errors import RequestError
from tune_jobs.experiment.code_fingerprint import (
    CLASSES,
    COMPILED,
    HELPERS,
    code_differences,
    code_fingerprints,
    compiled_fingerprints,
    helper_fingerprints,
)
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.fields import AS_DECLARED, FIELDS, changeable_fields
from tune_jobs.experiment.origin import ORIGIN, origin_of
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.results.record_file import EXPERIMENT_FORMAT
from tune_jobs.results.run import Repeat

_PACKAGES = ("tune-jobs", "ray", "keras", "tensorflow", "hyperopt", "numpy", "pandas")


class ChangedSinceTraining(UserWarning):
    """A warning: the space or the code is not what a run was begun with, and ``force`` accepts that."""


def write_record(
    name: str, experiment: Experiment, experiment_name: str, reference: str | None, repeat: Repeat | None = None
) -> dict[str, Any]:
    """Return the record of a run that is about to begin, as JSON.

    Args:
        name: The run's name.
        experiment: The experiment that is run.
        experiment_name: The experiment's name.
        reference: The reference by which the command line finds the experiment again; None: it cannot.
        repeat: The run's number in a group of repeats; None: a run by itself.
    """
    return {
        "format": EXPERIMENT_FORMAT,
        "name": name,
        "experiment": experiment_name,
        "reference": reference,
        ORIGIN: origin_of(reference),
        "repeat": asdict(repeat) if repeat else None,
        "created_s": time.time(),
        **{field.name: field.write(getattr(experiment, field.name)) for field in FIELDS.values()},
        CLASSES: code_fingerprints(experiment.trainable),
        HELPERS: helper_fingerprints(experiment.trainable),
        **({COMPILED: compiled} if (compiled := compiled_fingerprints(experiment.trainable)) else {}),
        "versions": {"python": platform.python_version(), **_versions()},
    }


def change_record(record: Mapping[str, Any], experiment: Experiment) -> dict[str, Any]:
    """Return the record of a run that goes on with an experiment's budgets and its patience with failures.

    Args:
        record: The run's experiment.json.
        experiment: The experiment from which the changeable fields are taken.
    """
    return {**record, **{name: FIELDS[name].write(getattr(experiment, name)) for name in changeable_fields()}}


def restore_experiment(experiment: Experiment, record: Mapping[str, Any], **changes: Any) -> Experiment:
    """Return the experiment with the values that a run was begun with, whatever options that run had.

    Args:
        experiment: The experiment as its file declares it today.
        record: The run's experiment.json.
        changes: Fields to replace; None keeps the recorded value.

    Raises:
        RequestError: The file is damaged, its version knows other searchers or schedulers, or the run was begun with
            one of the user's own that is no longer declared.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    try:
        recorded = {name: field.recorded(record, getattr(experiment, name)) for name, field in FIELDS.items()}
        kept = {name: value for name, value in recorded.items() if value is not AS_DECLARED}
        return replace(experiment, **{**kept, **given})
    except (InvalidDeclaration, RequestError):
        raise
    except Exception as error:  # a searcher of the user's own may not know what the file has for it
        raise RequestError(
            f"The run's {EXPERIMENT_FILE} cannot be used ({message_of(error):.300}): restore it from a copy."
        ) from error


def differences(experiment: Experiment, record: Mapping[str, Any]) -> list[str]:
    """Return what has changed since a run began, so that earlier and new results would not belong together.

    Args:
        experiment: The experiment as its file declares it today.
        record: The run's experiment.json.
    """
    changed = []
    if experiment.space.to_json() != record["space"]:
        changed.append(f"The search space has changed: {_space_difference(record['space'], experiment.space)}.")
    return changed + code_differences(experiment.trainable, record)


def other_settings(experiment: Experiment, record: Mapping[str, Any]) -> list[str]:
    """Return the settings of an experiment that resuming cannot change, and that differ from a run's.

    Args:
        experiment: The experiment as it is declared today.
        record: The run's experiment.json.
    """
    fixed = [field for field in FIELDS.values() if field.read is not None and not field.is_changeable]
    values = [
        (field.name, field.recorded_json(record), field.write(getattr(experiment, field.name))) for field in fixed
    ]
    return [
        f"The run was begun with {name} = {recorded!r}, but the experiment has {declared!r} now."
        for name, recorded, declared in values
        if json.loads(json.dumps(declared)) != recorded and name in record
    ]


def has_other_budgets(experiment: Experiment, record: Mapping[str, Any]) -> bool:
    """Return whether an experiment has other values than a run in fields that resuming may change."""
    fields = [FIELDS[name] for name in changeable_fields()]
    return any(field.write(getattr(experiment, field.name)) != field.recorded_json(record) for field in fields)


def accept_changes(changed: Sequence[str], remedy: str, *, force: bool) -> None:
    """Refuse what has changed since a run began, or warn of it.

    Args:
        changed: The changes, a sentence each; none if nothing has changed.
        remedy: A sentence that says what can be done. It stands after the last change.
        force: Whether to go on.

    Raises:
        RequestError: Something has changed, and ``force`` is False.
    """
    if changed and not force:
        raise RequestError(*changed[:-1], f"{changed[-1]} {remedy}")
    for sentence in changed:
        warnings.warn(ChangedSinceTraining(sentence), stacklevel=3)


def _space_difference(recorded: object, declared: SearchSpace) -> str:
    try:
        before = str(SearchSpace.from_json(recorded)).splitlines()
    except InvalidDeclaration:
        return "what was written down can no longer be read"
    lines = difflib.unified_diff(before, str(declared).splitlines(), lineterm="", n=0)
    marked = [
        f"{line[0]} {' '.join(line[1:].split())}"
        for line in lines
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    return "; ".join(marked)


def _versions() -> dict[str, str]:
    versions = {}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):  # such as tensorflow, where tensorflow-cpu is installed
            versions[name] = version(name)
    return versions
