"""Imports a person's own code: a single file or a module, and tells in one sentence why it cannot."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from search_spaces.checked import InvalidDeclaration
from tune_jobs.errors import RequestError
from tune_jobs.host.output import drop_native_stderr


def import_file(path: Path) -> ModuleType:
    """The module that a file is, executed anew at every call.

    The file's folder is put on the path, so that the files beside it can be imported; the module's own name can
    clash with none of theirs.

    Raises:
        RequestError: It raised; the message says what and in which line.
    """
    path = path.resolve()
    name = _module_name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RequestError(f"{shown(path)} is no Python file: its name must end in .py.")
    _put_on_path(path.parent)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with drop_native_stderr():
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise RequestError(*_reasons(error, path)) from error
    return module


def import_module(name: str) -> ModuleType:
    """The module of a dotted name; the current folder counts as one that holds modules.

    Raises:
        RequestError: There is none, or it raised.
    """
    _put_on_path(Path.cwd())
    try:
        with drop_native_stderr():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise RequestError(
                f"There is no module {name}: {error.name} is neither installed nor in {Path.cwd()}."
            ) from error
        raise RequestError(*_reasons(error, _origin(name))) from error
    except (Exception, SystemExit) as error:
        raise RequestError(*_reasons(error, _origin(name))) from error


def shown(path: Path) -> str:
    """A path as a person would type it: relative when it lies below the current folder."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _module_name(path: Path) -> str:
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
    return f"{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}__{digest}"


def _put_on_path(folder: Path) -> None:
    entry = str(folder)
    if entry not in sys.path:
        sys.path.insert(0, entry)


def _origin(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except Exception:  # noqa: BLE001 - a parent package raised: there is nothing to point at
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _reasons(error: BaseException, path: Path | None) -> list[str]:
    where, line = _place(error, path)
    place = f"{where}, line {line}" if line else where
    if isinstance(error, RequestError | InvalidDeclaration):
        return [f"{place}: {problem}" for problem in error.problems]
    message = " ".join(str(_message(error)).split())
    what = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return [f"{place} cannot be imported: {what}. Correct it; --debug shows the whole traceback."]


def _message(error: BaseException) -> Any:
    return error.msg if isinstance(error, SyntaxError) else error


def _place(error: BaseException, path: Path | None) -> tuple[str, int | None]:
    """The file and the line to look at: the last one of the person's own file, if any was reached."""
    if isinstance(error, SyntaxError) and error.filename:
        return shown(Path(error.filename)), error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame.lineno for frame in frames if path and frame.filename == str(path)]
    return shown(path) if path else "The module", own[-1] if own else None
