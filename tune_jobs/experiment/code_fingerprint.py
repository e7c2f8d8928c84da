"""Fingerprints of a trainable's source and of what it uses, by which a later command notices that code has changed."""

from __future__ import annotations

import hashlib
import inspect
import linecache
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from search_spaces.messages import short_repr
from tune_jobs.base.module_files import is_source_file
from tune_jobs.base.named_files import exists
from tune_jobs.experiment.compiled_code import compiled_code
from tune_jobs.experiment.used_code import AT_IMPORT, used_code

CLASSES = "code"
HELPERS = "helpers"
COMPILED = "compiled"
_USER_CODE = "user_code"  # the method of trainables that are made of a hypermodel: their classes are not the user's


def code_fingerprints(trainable: type[Any]) -> dict[str, str]:
    """Return a digest of the source of each class that a trainable is made of, by the class's qualified name.

    ``KerasTrainable`` and its bases are left out. So are classes without a source file: see ``compiled_fingerprints``.

    Args:
        trainable: A subclass of KerasTrainable.
    """
    digests = {}
    for kind in _parts(trainable):
        if (source := _source(kind)) is not None:
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


def compiled_fingerprints(trainable: type[Any]) -> dict[str, Any]:
    """Return digests of what has no source file, as in a notebook, with the version of Python that compiled it.

    Args:
        trainable: A subclass of KerasTrainable.

    Returns:
        The version by "python", and by "code" the digests by name; nothing if everything has a source file.
    """
    try:
        digests = compiled_code(_parts(trainable), _is_declaration)
    except Exception:  # noqa: BLE001 - an object of the user's may raise anything when it is looked at
        return {}
    return {"python": _python(), "code": digests} if digests else {}


def _python() -> str:
    return ".".join(map(str, sys.version_info[:2]))


def _declarations(module: str) -> set[str]:
    """Return the names of a module's experiments and spaces: how they have changed is told in other ways."""
    values = getattr(sys.modules.get(module), "__dict__", {})  # a module may put anything in its place
    return {name for name, value in values.items() if _is_declaration(value)}


def _is_declaration(value: object) -> bool:
    from search_spaces import SearchSpace
    from tune_jobs.experiment.experiment import Experiment

    return issubclass(type(value), Experiment | SearchSpace)  # an object may raise when it is asked for its class


def code_differences(trainable: type[Any], record: Mapping[str, Any]) -> list[str]:
    """Return a sentence that names the code that has changed since the run began; else nothing.

    Args:
        trainable: The trainable as it is today.
        record: The run's experiment.json. If an older version wrote it, it tells of the classes alone, or of nothing.
    """
    names = _changed(record[CLASSES], code_fingerprints(trainable)) if CLASSES in record else []
    if HELPERS in record:
        names += _changed(record[HELPERS], helper_fingerprints(trainable))
    incomparable: list[str] = []
    if isinstance(then := record.get(COMPILED), dict) and isinstance(then.get("code"), dict) and then["code"]:
        now = compiled_fingerprints(trainable)
        if then.get("python") == now.get("python", _python()):
            digests = now.get("code", {})
            names += _changed(then["code"], digests)
        else:
            incomparable.append(
                f"The code of {_listed(then['code'])} has no source file and was compiled by Python "
                f"{short_repr(then.get('python'))}, so that it cannot be compared in Python {_python()}."
            )
    return [*([f"The code has changed: {_listed(names)}."] if names else []), *incomparable]


def _source(kind: Any) -> str | None:
    """Return the text of a class or a function, if it has one.

    What a module says is its file may be a device without an end, or a pipe: Python would read it.
    """
    try:
        file = inspect.getsourcefile(kind)
        if file is None or (file not in linecache.cache and exists(Path(file)) and not is_source_file(Path(file))):
            return None
        return inspect.getsource(kind)
    except Exception:  # noqa: BLE001 - Python asks all modules for their files, and one may raise anything
        return None


def _parts(trainable: type[Any]) -> tuple[Any, ...]:
    """Return the classes of the user's own that a trainable is made of; functions and classes where it names them."""
    from trainables import KerasTrainable

    if hasattr(trainable, _USER_CODE):
        named: tuple[Any, ...] = trainable.user_code()
        return named
    return trainable.__mro__[: trainable.__mro__.index(KerasTrainable)]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _changed(then: object, now: Mapping[str, str]) -> list[str]:
    recorded = then if isinstance(then, dict) else {}
    return sorted(name for name in recorded.keys() | now.keys() if recorded.get(name) != now.get(name))
