"""Fingerprints of a trainable's source and of what it uses, by which a later command notices that code has changed."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Mapping
from typing import Any

from tune_jobs.experiment.used_code import AT_IMPORT, used_code

CLASSES = "code"
HELPERS = "helpers"
_USER_CODE = "user_code"  # the method of trainables that are made of a hypermodel: their classes are not the user's


def code_fingerprints(trainable: type[Any]) -> dict[str, str]:
    """Return a digest of the source of each class that a trainable is made of, by the class's qualified name.

    ``KerasTrainable`` and its bases are left out. So are classes without a source file: those that were made in a
    notebook or an interpreter have nothing to compare with.

    Args:
        trainable: A subclass of KerasTrainable.
    """
    digests = {}
    for kind in _parts(trainable):
        try:
            source = inspect.getsource(kind)
        except Exception:  # noqa: BLE001, S112 - Python asks all modules for their files, and one may raise anything
            continue
        digests[kind.__qualname__] = hashlib.sha256(source.encode()).hexdigest()[:16]
    return digests


def helper_fingerprints(trainable: type[Any]) -> dict[str, str]:
    """Return a digest of everything of the user's own that a trainable uses: functions, constants, other modules.

    Args:
        trainable: A subclass of KerasTrainable.

    Returns:
        The digests by name, such as ``build`` beside the class, and ``helper.scale`` in another module. The classes of
        ``code_fingerprints`` are not among them.
    """
    parts = [(kind.__module__, kind.__qualname__.partition(".")[0]) for kind in _parts(trainable)]
    if not hasattr(trainable, _USER_CODE):
        return used_code(parts, _declarations(parts[0][0]))
    found: dict[str, str] = {}
    for part in parts:  # a hypermodel and a tuner are not of one kind
        # What a script does when it is executed is the program, and not a part of its model.
        program = {AT_IMPORT} if part[0] == "__main__" else set()
        found |= used_code([part, *parts], _declarations(part[0]) | program)
    return found


def _declarations(module: str) -> set[str]:
    """Return the names of a module's experiments and spaces: how they have changed is told in other ways."""
    from search_spaces import SearchSpace
    from tune_jobs.experiment.experiment import Experiment

    values = getattr(sys.modules.get(module), "__dict__", {})  # a module may put anything in its place
    return {name for name, value in values.items() if isinstance(value, Experiment | SearchSpace)}


def code_differences(trainable: type[Any], record: Mapping[str, Any]) -> list[str]:
    """Return a sentence that names the code that has changed since the run began; else nothing.

    Args:
        trainable: The trainable as it is today.
        record: The run's experiment.json. If an older version wrote it, it tells of the classes alone, or of nothing.
    """
    names = _changed(record[CLASSES], code_fingerprints(trainable)) if CLASSES in record else []
    if HELPERS in record:
        names += _changed(record[HELPERS], helper_fingerprints(trainable))
    return [f"The code has changed: {', '.join(dict.fromkeys(names))}."] if names else []


def _parts(trainable: type[Any]) -> tuple[Any, ...]:
    """Return the classes of the user's own that a trainable is made of; functions and classes where it names them."""
    from trainables import KerasTrainable

    if hasattr(trainable, _USER_CODE):
        named: tuple[Any, ...] = trainable.user_code()
        return named
    return trainable.__mro__[: trainable.__mro__.index(KerasTrainable)]


def _changed(then: object, now: Mapping[str, str]) -> list[str]:
    recorded = then if isinstance(then, dict) else {}
    return sorted(name for name in recorded.keys() | now.keys() if recorded.get(name) != now.get(name))
