"""A search for values that cannot be sent to a worker with a trainable's class, before Ray starts. It names them."""

from __future__ import annotations

import builtins
import inspect
import types
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ray import cloudpickle

from trainables.exits import described
from trainables.worker import pack

_DEEPEST = 12


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
    except Exception as error:  # noqa: BLE001 - each kind of object raises another error
        found = {id(one.value): one for one in _unsendable(_Found(trainable.__name__, "", trainable), set(), 0)}
        problems = [_sentence(one) for one in found.values() if one.value is not trainable]
        return problems or [
            f"trainable: {trainable.__name__} cannot be sent to a worker: {described(error)}. Make what it uses in "
            "build_model, and not outside of the class."
        ]
    return []


def _sentence(found: _Found) -> str:
    kind = type(found.value)
    full_name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return (
        f"trainable: `{found.name}`, which {found.user} uses, is of type {full_name}, and cannot be sent to a worker: "
        "make it in build_model (or in load_data, if only that needs it), and not outside of the class."
    )


def _unsendable(one: _Found, seen: set[int], depth: int) -> Iterator[_Found]:
    """Yield the smallest parts of a value that cannot be sent: those whose own parts all can be, or have none."""
    if id(one.value) in seen or depth > _DEEPEST or _is_sendable(one.value):
        return
    seen.add(id(one.value))
    found = [deeper for part in _parts(one) for deeper in _unsendable(part, seen, depth + 1)]
    yield from found or [one]


def _is_sendable(value: Any) -> bool:
    try:
        cloudpickle.dumps(value, protocol=5, buffer_callback=_leave_out)  # type: ignore[no-untyped-call]
    except Exception:  # noqa: BLE001 - each kind of object raises another error
        return False
    return True


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
    elif isinstance(value, Mapping):
        yield from (_Found(f"{one.name}[{key!r}]", user, part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        yield from (_Found(f"{one.name}[{index}]", user, part) for index, part in enumerate(value))
    elif isinstance(value, types.MethodType):
        yield _Found(one.name, user, value.__func__)
        yield _Found(one.name, user, value.__self__)
    elif isinstance(getattr(value, "__dict__", None), dict):
        yield from (_Found(f"{one.name}.{name}", user, part) for name, part in vars(value).items())


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
