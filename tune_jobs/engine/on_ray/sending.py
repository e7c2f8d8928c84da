"""A search for what cannot be sent to a worker with a trainable's class, or is large, before Ray starts."""

from __future__ import annotations

import builtins
import inspect
import sys
import sysconfig
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from trainables.before_ray.sent_class import pack, pickler
from trainables.exits import described, is_of_the_code

LARGE_BYTES = 16 * 2**20
"""Size from which on it is told that something is sent with the class."""

_DEEPEST = 12
_MOST_PARTS = 1000  # a list of more is told as a whole


class _Found(NamedTuple):
    """A value that cannot be sent.

    Attributes:
        name: The name by which the code reaches it.
        user: The function or class that uses it.
        value: The value.
    """

    name: str
    user: str
    value: Any


def sending_problems(trainable: type[Any]) -> list[str]:
    """Return a sentence for each object that the class uses and that no other process can receive.

    The class is serialised as for the workers: the code of a file or a notebook is sent with all that it refers to.

    Args:
        trainable: The class of the experiment.
    """
    try:
        pack(trainable)
    except BaseException as error:  # each kind of object raises another error, and may call sys.exit
        if not is_of_the_code(error):
            raise
        found = _found(trainable, lambda value: _sent_bytes(value) is None)
        problems = [_sentence(one) for one in found.values() if one.value is not trainable]
        return problems or [
            f"trainable: {trainable.__name__} cannot be sent to a worker: {described(error)}. Make what it uses in "
            "build_model, and not outside of the class."
        ]
    return []


def sending_notes(trainable: type[Any], large_bytes: int = LARGE_BYTES) -> list[str]:
    """Return a sentence for each large object that is sent with the class, and of which each worker gets a copy.

    Arrays are no such objects: all workers of a machine read the same memory.

    Args:
        trainable: The class of the experiment; it can be sent.
        large_bytes: The size from which on an object is large.
    """

    def is_large(value: Any) -> bool:
        return (_sent_bytes(value) or 0) >= large_bytes

    notes = []
    for one in _found(trainable, is_large).values():
        size = f"{(_sent_bytes(one.value) or 0) / 1e6:,.0f} MB"
        notes.append(
            f"trainable: `{one.name}`, which {one.user} uses, takes {size}, and each worker gets a copy: load it in "
            "load_data, whose arrays all workers share."
            if one.value is not trainable
            else f"trainable: the class {one.name} takes {size}, and each worker gets a copy."
        )
    return notes


def _found(trainable: type[Any], is_meant: Callable[[Any], bool]) -> dict[int, _Found]:
    found = _smallest(_Found(trainable.__name__, "", trainable), is_meant, set(), 0)
    return {id(one.value): one for one in found}


def _sentence(found: _Found) -> str:
    kind = type(found.value)
    full_name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return (
        f"trainable: `{found.name}`, which {found.user} uses, is of type {full_name}, and cannot be sent to a worker: "
        "make it in build_model (or in load_data, if only that needs it), and not outside of the class."
    )


def _smallest(one: _Found, is_meant: Callable[[Any], bool], seen: set[int], depth: int) -> Iterator[_Found]:
    """Yield the smallest parts of a value that are meant: those of whose own parts none is, or that have none."""
    if id(one.value) in seen or depth > _DEEPEST or not is_meant(one.value):
        return
    seen.add(id(one.value))
    found = [deeper for part in _parts(one) for deeper in _smallest(part, is_meant, seen, depth + 1)]
    yield from found or [one]


def _sent_bytes(value: Any) -> int | None:
    """Return the size of a value as it is sent, without its arrays; None if it cannot be sent."""
    size = _Size()
    try:
        pickler().dump(value, size, protocol=5, buffer_callback=_leave_out)
    except BaseException as error:
        if not is_of_the_code(error):
            raise
        return None
    return size.written_bytes


class _Size:
    """A file that only counts what is written."""

    def __init__(self) -> None:
        self.written_bytes = 0

    def write(self, content: bytes | bytearray | memoryview) -> int:
        """Count a part."""
        size = memoryview(content).nbytes
        self.written_bytes += size
        return size


def _leave_out(buffer: Any) -> None:
    """Take the bytes of an array, which can always be sent."""


def _parts(one: _Found) -> Iterator[_Found]:
    """Yield what is serialised with a value, with the name by which the code reaches it."""
    value, user = one.value, one.user
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    if isinstance(value, property):
        yield from (_Found(one.name, user, part) for part in (value.fget, value.fset, value.fdel) if part is not None)
    elif isinstance(value, types.FunctionType):
        user = value.__qualname__.replace("<locals>.", "").rpartition(".")[0].rpartition(".")[2]
        user = f"{user}.{value.__name__}" if user and user[0].isupper() else value.__name__
        yield from (_Found(name, user, part) for name, part in _used_by(value))
    elif isinstance(value, type):
        yield from (_Found(name, value.__name__, part) for name, part in vars(value).items())
        yield from (_Found(base.__name__, value.__name__, base) for base in value.__bases__)
    elif isinstance(value, Mapping | list | tuple) and len(value) > _MOST_PARTS:
        return
    elif isinstance(value, Mapping):
        yield from (_Found(f"{one.name}[{key!r}]", user, part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        yield from (_Found(f"{one.name}[{index}]", user, part) for index, part in enumerate(value))
    elif isinstance(value, types.MethodType):
        yield _Found(one.name, user, value.__func__)
        yield _Found(one.name, user, value.__self__)
    elif isinstance(getattr(value, "__dict__", None), dict) and _has_parts_of_the_user(value):
        yield from (_Found(f"{one.name}.{name}", user, part) for name, part in vars(value).items())


def _has_parts_of_the_user(value: Any) -> bool:
    """Return whether the attributes of an object mean something to the user, who made its class.

    Those of a pool of threads or of a data set do not. A Keras model says by itself what is sent of it.
    """
    kind: Any = type(value)
    own: Any = object
    says_itself = kind.__reduce__ is not own.__reduce__ or kind.__reduce_ex__ is not own.__reduce_ex__
    return not says_itself and (kind is types.SimpleNamespace or not _is_of_a_library(kind))


def _is_of_a_library(kind: type[Any]) -> bool:
    top = str(kind.__module__).partition(".")[0]
    file = getattr(sys.modules.get(top), "__dict__", {}).get("__file__")
    folders = (sysconfig.get_paths()[name] for name in ("purelib", "platlib"))
    is_installed = isinstance(file, str) and any(Path(file).is_relative_to(folder) for folder in folders)
    return is_installed or (top in sys.stdlib_module_names and top != "__main__")


def _used_by(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            contents = cell.cell_contents
        except ValueError:  # a name without a value yet
            continue
        if name != "__class__":
            yield name, contents
    for name in _global_names(function.__code__):
        if name in function.__globals__ and name not in vars(builtins):
            yield name, function.__globals__[name]
    parameters = inspect.signature(function).parameters.values()
    yield from ((one.name, one.default) for one in parameters if one.default is not one.empty)


def _global_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)
