"""A walk over what a model or a callback holds: in attributes, collections, objects of the user's, and closures."""

from __future__ import annotations

import functools
import sys
import sysconfig
import types
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

HOLDERS = (
    keras.layers.Layer,
    keras.optimizers.Optimizer,
    keras.optimizers.schedules.LearningRateSchedule,
    keras.metrics.Metric,
    keras.losses.Loss,
    keras.random.SeedGenerator,
)
_NEVER = (type(None), bool, int, float, str, bytes)
_COLLECTIONS = (dict, list, tuple, deque)
_OURS = ("search_spaces", "trainables", "tune_jobs")
_MOST_OF_A_KIND = 1000  # a longer collection that begins with a number or a text is not looked through


def walk(root: Any, met: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield a model or a callback and what it holds, each object once, with the path of attributes to it.

    A trainable is not entered: it holds what belongs to other trials, too.

    Args:
        root: The model or the callback.
        met: The identities of objects that are passed over; those that are met are added.
    """
    reset_metrics = {id(metric) for metric in getattr(root, "metrics", ())}
    met = set() if met is None else met
    is_callback = isinstance(root, keras.callbacks.Callback)
    waiting: list[tuple[str, Any, bool]] = [("", root, False)]
    while waiting:
        path, item, is_reset = waiting.pop()
        if id(item) in met:
            continue
        met.add(id(item))
        if isinstance(item, keras.metrics.Metric):  # one of a user's own may keep what it has over epochs
            is_reset = _is_own_of_keras(item) and (is_reset or id(item) in reset_metrics)
        if is_reset and is_variable(item):
            continue
        if isinstance(item, keras.optimizers.Optimizer) and is_callback and not item.built:
            continue  # one that the callback is going to give to a model
        yield path, item
        prefix = f"{path}/" if path else ""
        parts = attributes_of(item).items() if item is root else _parts(item)
        children = [(f"{prefix}{name}", _variable_of(part), is_reset) for name, part in parts if is_held(part)]
        waiting.extend(reversed(children))


def attributes_of(item: Any) -> dict[str, Any]:
    """Return the attributes of an object by name, those in slots among them."""
    slots: dict[str, Any] = {}
    for kind in type(item).__mro__:
        named = vars(kind).get("__slots__", ())
        names: tuple[str, ...] = (named,) if isinstance(named, str) else tuple(named)
        for name in names:
            if name not in ("__dict__", "__weakref__") and is_of_the_user(kind) and hasattr(item, name):
                slots[name] = getattr(item, name)
    return {**getattr(item, "__dict__", {}), **slots}


def is_held(part: Any) -> bool:
    """Return whether something may be, or may hold, a part of a training's state."""
    if type(part) in _NEVER:
        return False
    return (
        isinstance(part, (*HOLDERS, *_COLLECTIONS, np.random.Generator, np.random.RandomState))
        or is_variable(part)
        or _is_tensorflow_generator(part)
        or bool(_cells(part))
        or is_object_of_the_user(part)
    )


def is_variable(item: Any) -> bool:
    """Return whether something is a variable of Keras or of TensorFlow."""
    if isinstance(item, keras.Variable):
        return True
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return isinstance(item, tf.Variable)


def is_object_of_the_user(item: Any) -> bool:
    """Return whether something is an instance of a class of the user's. A trainable does not count, nor does a class.

    An instance of ``random.Random`` does, because its state is a part of a training's.
    """
    kind = type(item)
    if isinstance(item, type | types.ModuleType) or (hasattr(kind, "load_data") and hasattr(kind, "build_model")):
        return False
    return is_of_the_user(kind) or kind.__name__ in ("Random", "SimpleNamespace")


def is_of_the_user(code: Any) -> bool:
    """Return whether a class or a function is defined in a file or a notebook of the user's, not in a package."""
    module = getattr(code, "__module__", None)
    return isinstance(module, str) and not _is_of_a_package(module.partition(".")[0])


@functools.cache
def _is_of_a_package(top: str) -> bool:
    if top == "__main__":
        return False
    file = getattr(sys.modules.get(top), "__file__", None)
    folders = (sysconfig.get_paths()[name] for name in ("purelib", "platlib"))
    is_installed = isinstance(file, str) and any(Path(file).is_relative_to(folder) for folder in folders)
    return is_installed or top in sys.stdlib_module_names or top in _OURS


def _parts(item: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(item, dict | list | tuple | deque):
        is_long = len(item) > _MOST_OF_A_KIND
        if not is_long or is_held(next(iter(item.values() if isinstance(item, dict) else item))):
            yield from item.items() if isinstance(item, dict) else enumerate(item)
    elif isinstance(item, HOLDERS) or is_object_of_the_user(item):
        yield from attributes_of(item).items()
    else:
        yield from _cells(item).items()


def _cells(item: Any) -> dict[str, Any]:
    """Return what a function of the user's reaches beside its arguments: its closure, and the object of a method."""
    if isinstance(item, functools.partial):
        return {"func": item.func, "args": item.args, "keywords": item.keywords}
    if isinstance(item, types.MethodType):
        return {"self": item.__self__} if is_of_the_user(item.__func__) else {}
    if not isinstance(item, types.FunctionType) or not is_of_the_user(item):
        return {}
    found = {}
    for name, cell in zip(item.__code__.co_freevars, item.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # a name without a value yet
            continue
    return found


def _variable_of(part: Any) -> Any:
    return part.state if _is_tensorflow_generator(part) else part


def _is_tensorflow_generator(item: Any) -> bool:
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return isinstance(item, tf.random.Generator)


def _is_own_of_keras(item: Any) -> bool:
    return type(item).__module__.split(".")[0] == "keras"
