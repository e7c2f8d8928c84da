"""Importing of a person's own code, a file or a module; a failure is told in one sentence."""

from __future__ import annotations

import errno
import hashlib
import importlib
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Iterable
from contextlib import suppress
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from search_spaces.checked import InvalidDeclaration
from search_spaces.messages import short_repr
from trainables.exits import exits_raised, is_of_the_code, message_of
from tune_jobs.base.loading import SearchFound, loading
from tune_jobs.base.module_files import MOST_SOURCE_BYTES
from tune_jobs.base.named_files import read_file
from tune_jobs.base.plain_text import plain_text
from tune_jobs.base.process_guard import guarded_process
from tune_jobs.errors import RequestError
from tune_jobs.host.output import drop_native_stderr

# What a module says of itself, by which its classes are found, sent and compared.
_OWN_NAMES: dict[str, tuple[str, Any]] = {
    "__name__": ("the module's name", str),
    "__file__": ("the module's file", str | None),
    "__package__": ("the name of the module's package", str | None),
    "__spec__": ("what the module was found by", ModuleSpec | None),
    "__path__": ("the folders of a package", Iterable),
    "__builtins__": ("Python's own functions", dict | ModuleType),
}


def import_file(path: Path) -> ModuleType:
    """Return the module in a file. Every call executes the file again.

    The folder of the file is put on Python's path, so that the files beside it can be imported. The module gets a name
    that cannot clash with theirs.

    Args:
        path: The file; its name ends in .py.

    Raises:
        RequestError: The code raised an error. The message names the error and the line.
    """
    path = path.resolve()
    name = _module_name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    with suppress(OSError):  # importing it tells
        _source(path)
    if spec is None or spec.loader is None:
        raise RequestError(f"{short_path(path)} is no Python file: its name must end in .py.")
    _put_on_path(path.parent)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with guarded_process(), drop_native_stderr(), exits_raised(), loading():
            spec.loader.exec_module(module)
        _check_own_names(module)
    except SearchFound as found:  # a script of KerasTuner's, which would search now
        vars(module)["SEARCH"] = found.experiment
    except BaseException as error:
        sys.modules.pop(name, None)
        if not is_of_the_code(error):
            raise
        raise RequestError(*_reasons(error, path)) from error
    module.__name__ = name  # the code may have used this name for a text of its own
    return module


def check_syntax(path: Path) -> None:
    """Raise an error if a file is no Python, without executing it.

    Args:
        path: The file.

    Raises:
        RequestError: It cannot be compiled. The message names the error and the line.
    """
    path = path.resolve()
    try:
        compile(_source(path), path, "exec", dont_inherit=True)
    except OSError:  # importing it will tell
        return
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RequestError(*_reasons(error, path)) from error


def _source(path: Path) -> bytes:
    """Return the text of a file of Python; raise RequestError if it is too large to be one."""
    try:
        return read_file(path, MOST_SOURCE_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise RequestError(f"{short_path(path)} is no Python file: {error.strerror}.") from error
        raise


def import_module(name: str) -> ModuleType:
    """Return the module of a dotted name. The current folder is put on Python's path first.

    Args:
        name: The dotted name.

    Raises:
        RequestError: There is no such module, or its code raised an error.
    """
    _put_on_path(Path.cwd())
    try:
        with guarded_process(), drop_native_stderr(), exits_raised():
            module = importlib.import_module(name)
        _check_own_names(module)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise RequestError(
                f"There is no module {name}: {error.name} is neither installed nor in {Path.cwd()}."
            ) from error
        raise RequestError(*_reasons(error, _file_of(name))) from error
    except BaseException as error:
        if not is_of_the_code(error):
            raise
        raise RequestError(*_reasons(error, _file_of(name))) from error
    if not hasattr(module, "__dict__"):  # a module may put anything in its place
        raise RequestError(f"{name} is of type {type(module).__name__}, but must be a module.")
    return module


def short_path(path: Path) -> str:
    """Return a path as a person would type it: relative if it lies below the current folder.

    Args:
        path: An absolute path.
    """
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _check_own_names(module: ModuleType) -> None:
    """Raise an error if the code has taken a name that Python, and what sends the code, read from the module."""
    fields = getattr(module, "__dict__", {})
    problems = [
        f"The value of `{name}` is {short_repr(fields[name])}, but Python itself needs this name, for {purpose}: take "
        "another one."
        for name, (purpose, kind) in _OWN_NAMES.items()
        if name in fields and not isinstance(fields[name], kind)
    ]
    if problems:
        raise RequestError(*problems)


def _module_name(path: Path) -> str:
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
    return f"{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}__{digest}"


def _put_on_path(folder: Path) -> None:
    entry = str(folder)
    if entry not in sys.path:
        sys.path.insert(0, entry)


def _file_of(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except Exception:  # noqa: BLE001 - a parent package raised: no file can be named
        return None
    origin = getattr(spec, "origin", None)
    return Path(origin) if isinstance(origin, str) else None


def _reasons(error: BaseException, path: Path | None) -> list[str]:
    file, line = _position(error, path)
    position = f"{file}, line {line}" if line else file
    if isinstance(error, RequestError | InvalidDeclaration):
        return [f"{position}: {problem}" for problem in error.problems]
    # The text of a SyntaxError has the file and the line, which are told already.
    message = plain_text(str(error.msg) if isinstance(error, SyntaxError) else message_of(error))
    message = " ".join(message.split())
    summary = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return [f"{position} cannot be imported: {summary}. Correct it; --debug shows the whole traceback."]


def _position(error: BaseException, path: Path | None) -> tuple[str, int | None]:
    """Return the file and the line to look at: the last line of the person's own file that was reached, if any."""
    if isinstance(error, SyntaxError) and isinstance(error.filename, str):
        return short_path(Path(error.filename)), error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    own_lines = [frame.lineno for frame in frames if path and frame.filename == str(path)]
    return short_path(path) if path else "The module", own_lines[-1] if own_lines else None
