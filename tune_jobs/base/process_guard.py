"""The guard of the process against a person's code, which may close streams and empty what imports need."""

from __future__ import annotations

import builtins
import fcntl
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_PutBack = Callable[[], object]

_OURS = ("tune_jobs", "trainables", "search_spaces")
_IMPORT_LISTS = ("path", "meta_path", "path_hooks")
_FIRST_FREE = 3  # below are the standard descriptors
_MODES = {"stdin": (0, "r"), "stdout": (1, "w"), "stderr": (2, "w")}


@contextmanager
def guarded_process() -> Iterator[None]:
    """Give back what code within the block takes from the process, however the block ends.

    Streams that were closed are opened again: else the next file that is opened gets the descriptor of the standard
    output, and what is printed goes into it. Modules that were removed are put back: else they are imported a second
    time, and classes are no longer what they were. What the code puts in the place of something is left alone, unless
    nothing can be done with it.
    """
    with ExitStack() as undone:
        # What was remembered last is put back first.
        for remember in (_streams, _descriptors, _recursion, _import_lists, _modules, _builtins):
            undone.callback(remember())
        yield


def _modules() -> _PutBack:
    table, before = sys.modules, dict(sys.modules)

    def put_back() -> None:
        sys.modules = table  # Python's own imports use this one, whatever is called sys.modules
        if any(table.get(name) is not before[name] for name in before if str(name).partition(".")[0] in _OURS):
            table.update(_modules_alive() | before)
            return
        for name in before.keys() - table.keys():
            table[name] = before[name]

    return put_back


def _modules_alive() -> dict[str, ModuleType]:
    """Return the modules that something refers to: the code may have imported some before it emptied the table."""
    modules = [found for found in gc.get_objects() if type(found) is ModuleType]
    specs = [(vars(module).get("__spec__"), module) for module in modules]
    return {spec.name: module for spec, module in specs if isinstance(spec, ModuleSpec)}


def _recursion() -> _PutBack:
    before = sys.getrecursionlimit()

    def put_back() -> None:
        if sys.getrecursionlimit() < before:
            sys.setrecursionlimit(before)

    return put_back


def _import_lists() -> _PutBack:
    """Remember what Python imports with. A list is put back where it lost all that it had."""
    before = {name: (getattr(sys, name), list(getattr(sys, name))) for name in _IMPORT_LISTS}

    def put_back() -> None:
        for name, (known, entries) in before.items():
            if not isinstance(getattr(sys, name, None), list):
                setattr(sys, name, known)
            now = getattr(sys, name)
            if not any(entry in now for entry in entries):
                now.extend(entries)

    return put_back


def _builtins() -> _PutBack:
    before = dict(vars(builtins))

    def put_back() -> None:
        now = vars(builtins)
        for name, value in before.items():
            if name not in now or (callable(value) and not callable(now[name])):
                now[name] = value

    return put_back


def _descriptors() -> _PutBack:
    copies = {number: copy for number, _ in _MODES.values() if (copy := _copy(number)) is not None}

    def put_back() -> None:
        for number, copy in copies.items():
            with suppress(OSError):  # the code has closed the copy, too
                if not _is_open(number):
                    os.dup2(copy, number)
                os.close(copy)

    return put_back


def _streams() -> _PutBack:
    before: dict[str, Any] = {name: getattr(sys, name) for name in _MODES}
    usable = {name: stream for name, stream in before.items() if _is_usable(stream, name)}
    shapes = {name: _shape(stream) for name, stream in usable.items()}

    def put_back() -> None:
        for name, stream in usable.items():
            if _is_usable(getattr(sys, name, None), name):
                continue
            with suppress(OSError):  # the shell has closed its descriptor
                setattr(sys, name, stream if _is_usable(stream, name) else _reopened(name, shapes[name]))
            if getattr(sys, f"__{name}__") is stream:
                setattr(sys, f"__{name}__", getattr(sys, name))

    return put_back


def _shape(stream: Any) -> dict[str, Any]:
    return {"encoding": getattr(stream, "encoding", None) or "utf-8", "errors": getattr(stream, "errors", None)}


def _reopened(name: str, shape: dict[str, Any]) -> Any:
    number, mode = _MODES[name]
    buffering = 1 if name == "stderr" or os.isatty(number) else -1
    return open(number, mode, buffering=buffering, closefd=False, **shape)


def _is_usable(stream: Any, name: str) -> bool:
    try:
        if name == "stdin":
            return not stream.closed
        stream.write("")
    except Exception:  # noqa: BLE001 - anything may stand in place of a stream
        return False
    return True


def _is_open(descriptor: int) -> bool:
    try:
        fcntl.fcntl(descriptor, fcntl.F_GETFD)
    except OSError:
        return False
    return True


def _copy(descriptor: int) -> int | None:
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
    except OSError:  # it was closed before, as in a service
        return None
