"""Digests of code without a source file, taken from what Python has compiled: functions, and the constants they use.

Code has none in a notebook, in an interpreter, in a module that is shipped as bytecode or in C, and where ``exec`` made
it. Its text cannot be compared, but its bytecode can, as long as Python is of the same version.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tune_jobs.base.module_files import is_source_file
from tune_jobs.base.named_files import read_file

_MOST_PARTS = 2000
_MOST_VALUES = 10_000
_MOST_MODULE_BYTES = 2**28
_PLAIN = (int, float, complex, str, bytes, bool, type(None), type(...))
_OURS = ("tune_jobs", "trainables", "search_spaces")
_OF_PYTHON = {"__module__", "__dict__", "__weakref__", "__doc__", "__qualname__", "__annotations__", "__slots__"}


def compiled_code(parts: Iterable[Any], skipped: Callable[[Any], bool]) -> dict[str, str]:
    """Return a digest of everything without a source file that classes and functions are made of, or use, by its name.

    Args:
        parts: The classes and functions.
        skipped: Returns whether a value that they use does not count.
    """
    walk = _Walk(skipped)
    for part in parts:
        walk.visit(getattr(part, "__qualname__", ""), part)
    return walk.run()


class _Walk:
    """One walk from object to object. What has a source is followed too: it may use what has none."""

    def __init__(self, skipped: Callable[[Any], bool]) -> None:
        self._skipped = skipped
        self._waiting: list[tuple[str, Any]] = []
        self._seen: dict[int, Any] = {}  # the objects are kept, so that their identities stay theirs
        self._found: dict[str, str] = {}

    def visit(self, name: str, value: Any) -> None:
        """Take up an object, unless it was taken up before."""
        if id(value) not in self._seen and len(self._seen) < _MOST_PARTS and not self._skipped(value):
            self._seen[id(value)] = value
            self._waiting.append((name, value))

    def run(self) -> dict[str, str]:
        """Return the digests."""
        while self._waiting:
            name, value = self._waiting.pop()
            if isinstance(value, FunctionType):
                self._function(name, value)
            elif isinstance(value, type):
                self._class(name, value)
            elif isinstance(value, partial):
                self.visit(name, value.func)
                self._constant(f"{name}.arguments", (value.args, value.keywords))
            elif isinstance(inner := getattr(value, "__wrapped__", None), FunctionType | type):
                self.visit(name, inner)
            else:
                self._of_a_module(value)
        return dict(sorted(self._found.items()))

    def _function(self, name: str, function: FunctionType) -> None:
        code, source = function.__code__, _source_of(function)
        has_source = source is not None
        if not _is_own(function.__globals__.get("__name__"), source):
            if isinstance(inner := vars(function).get("__wrapped__"), FunctionType | type):  # a library's decorator
                self.visit(name, inner)
            return
        if not has_source:
            self._found[name] = _digest([_code_text(code, function.__doc__), _text(function.__defaults__)])
        for used, value in _used(function):
            if isinstance(value, FunctionType | type | partial) or not _is_plain(value):
                self.visit(getattr(value, "__qualname__", used), value)
            elif not has_source:
                self._constant(used, value)

    def _class(self, name: str, kind: type) -> None:
        module = kind.__module__ if isinstance(kind.__module__, str) else None
        file = _file_of(module)
        has_source = file is not None and is_source_file(Path(file))
        if not _is_own(module, file if has_source else None):
            return
        for base in kind.__bases__:
            self.visit(base.__qualname__, base)
        for attribute, value in sorted(vars(kind).items()):
            inner = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            if isinstance(inner, FunctionType) and has_source and _source_of(inspect.unwrap(inner)) is None:
                continue  # made of the class's text, as those of a dataclass
            if isinstance(inner, FunctionType | type | partial):
                self.visit(f"{name}.{attribute}", inner)
            elif not has_source and attribute not in _OF_PYTHON and _is_plain(inner):
                self._constant(f"{name}.{attribute}", inner)

    def _constant(self, name: str, value: Any) -> None:
        self._found[name] = _digest([_text(value)])

    def _of_a_module(self, value: Any) -> None:
        """Take a module that is no Python as a whole: what it holds cannot be looked into."""
        module = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        file = _file_of(module)
        if not isinstance(module, str) or file is None or file.endswith((".py", ".pyc")) or not _is_own(module, file):
            return
        try:
            self._found[module] = hashlib.sha256(read_file(Path(file), _MOST_MODULE_BYTES)).hexdigest()[:16]
        except OSError:
            return


def _used(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of everything outside itself that a function uses, and of attributes of modules."""
    names = list(_names(function.__code__))
    for name in names:
        if name not in function.__globals__:
            continue
        value = function.__globals__[name]
        yield name, value
        if isinstance(value, ModuleType):
            yield from (
                (f"{name}.{each}", vars(value)[each]) for each in names if each in getattr(value, "__dict__", {})
            )
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # a name without a value yet
            continue
    yield from (function.__kwdefaults__ or {}).items()


def _source_of(function: FunctionType) -> str | None:
    """Return the file that a function's text is in, if it is a file of Python."""
    file = Path(function.__code__.co_filename)
    of_module = Path(_file_of(function.__globals__.get("__name__")) or "")
    if not file.is_absolute() and file.name == of_module.name:  # the current folder may have changed
        file = of_module
    return str(file) if is_source_file(file) else None


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _code_text(code: CodeType, docstring: str | None = None) -> str:
    """Return what a function does, without its docstring, its lines and its file."""
    constants = [_code_text(each) if isinstance(each, CodeType) else _text(each) for each in code.co_consts]
    if docstring is not None and code.co_consts and code.co_consts[0] == docstring:
        constants[0] = ""
    shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return f"{code.co_code.hex()} {shape} {names} {constants}"


def _is_plain(value: Any) -> bool:
    return _counted(value, [_MOST_VALUES])


def _counted(value: Any, left: list[int]) -> bool:
    left[0] -= 1
    if isinstance(value, _PLAIN):
        return True
    if left[0] < 0 or type(value) not in (tuple, list, dict, set, frozenset):
        return False
    items = [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
    return all(_counted(item, left) for item in items)


def _text(value: Any) -> str:
    """Return a text that is the same in every process: sets have no order, and other objects an address."""
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}{sorted(map(_text, value))}"
    if isinstance(value, tuple | list):
        return f"{type(value).__name__}{[_text(item) for item in value]}"
    if isinstance(value, dict):
        return f"dict{[(_text(key), _text(item)) for key, item in value.items()]}"
    return repr(value) if type(value) in _PLAIN else type(value).__qualname__


def _digest(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode("utf-8", errors="replace")).hexdigest()[:16]


def _file_of(module: Any) -> str | None:
    file = getattr(sys.modules.get(module), "__dict__", {}).get("__file__") if isinstance(module, str) else None
    return file if isinstance(file, str) else None


def _is_own(module: object, file: str | None) -> bool:
    """Return whether code is the user's own: neither ours, nor Python's, nor installed."""
    if not isinstance(module, str):
        return False
    top = module.partition(".")[0]
    if top in _OURS or (top in sys.stdlib_module_names and top != "__main__"):
        return False
    named = file or _file_of(module)
    return named is None or not any(Path(named).is_relative_to(folder) for folder in _installed())


@cache
def _installed() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return tuple(Path(paths[kind]) for kind in ("stdlib", "platstdlib", "purelib", "platlib"))
