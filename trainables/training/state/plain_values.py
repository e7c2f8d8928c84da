"""Plain values of a callback as JSON and arrays, and back: numbers, text, arrays, collections, objects of them."""

from __future__ import annotations

import collections
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from trainables.training.state.walk import attributes_of, is_object_of_the_user

_DEEPEST = 50
_DICTS = {"dict": dict, "ordered": collections.OrderedDict, "counter": collections.Counter}
_SETS = {"set": set, "frozenset": frozenset}


def is_plain(value: Any, depth: int = 0) -> bool:
    """Return whether ``pack`` can tell a value: a class of the user's must have plain attributes only.

    Any other subclass of a collection (a named tuple) would come back as its base: it is not plain. Nor is an object in
    a collection: when the trial begins anew, there may be none at its place.
    """
    kind = type(value)
    if kind in (list, tuple, collections.deque):
        return (
            depth < _DEEPEST and all(is_plain(item, depth + 1) for item in value) and not any(map(_has_a_place, value))
        )
    if kind in (*_DICTS.values(), collections.defaultdict):
        is_keyed = all(_is_scalar(key) for key in value) and not any(map(_has_a_place, value.values()))
        return depth < _DEEPEST and is_keyed and all(is_plain(item, depth + 1) for item in value.values())
    if kind in _SETS.values():
        return all(map(_is_scalar, value))
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind not in "OV"
    if _is_tensor(value) or _is_scalar(value):
        return True
    return (
        depth < _DEEPEST
        and _is_object(value)
        and all(is_plain(item, depth + 1) for item in attributes_of(value).values())
    )


def pack(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return a plain value as JSON, each array in it replaced by a reference; mark what JSON cannot tell apart.

    Args:
        value: The value.
        arrays: Takes the arrays, by name.
    """
    kind = type(value)
    if isinstance(value, np.ndarray | np.generic) or _is_tensor(value):
        name = f"callbacks/{len(arrays):04d}"
        arrays[name] = np.array(value)
        is_array = isinstance(value, np.ndarray)
        return {"array" if is_array else "number" if isinstance(value, np.generic) else "tensor": name}
    if kind in (list, tuple):
        packed = [pack(item, arrays) for item in value]
        return {"tuple": packed} if kind is tuple else packed
    if kind is collections.deque:
        return {"deque": [value.maxlen, [pack(item, arrays) for item in value]]}
    if kind is collections.defaultdict:
        return {"defaultdict": [[key, pack(item, arrays)] for key, item in value.items()]}
    for name, of_dicts in _DICTS.items():
        if kind is of_dicts:
            return {name: [[key, pack(item, arrays)] for key, item in value.items()]}
    for name, of_sets in _SETS.items():
        if kind is of_sets:
            return {name: sorted(value, key=repr)}
    if not _is_scalar(value):
        attributes = attributes_of(value).items()
        return {"object": [kind.__qualname__, [[name, pack(item, arrays)] for name, item in attributes]]}
    return value


def unpack(value: Any, arrays: Mapping[str, np.ndarray], current: Any = None) -> Any:  # noqa: C901 - a case a kind
    """Return the plain value that ``pack`` packed.

    Args:
        value: What ``pack`` returned.
        arrays: The arrays; there may be others among them.
        current: The value that is to be replaced; an object of a class of the user's is changed and returned.

    Raises:
        ValueError: The object that is there now is of another class.
    """
    if isinstance(value, list):
        return [unpack(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    match kind:
        case "array":
            return arrays[content]
        case "number":
            return arrays[content][()]
        case "tensor":
            return keras.ops.convert_to_tensor(arrays[content])
        case "object":
            return _changed_object(content, arrays, current)
        case "tuple":
            return tuple(unpack(item, arrays) for item in content)
        case "deque":
            return collections.deque((unpack(item, arrays) for item in content[1]), content[0])
        case "set" | "frozenset":
            return _SETS[kind](content)
    items = {key: unpack(item, arrays) for key, item in content}
    if kind == "defaultdict":
        if not isinstance(current, collections.defaultdict):
            raise ValueError(f"A callback had a defaultdict, but now {type(current).__qualname__}.")
        return collections.defaultdict(current.default_factory, items)
    return _DICTS[kind](items)


def _changed_object(content: Any, arrays: Mapping[str, np.ndarray], current: Any) -> Any:
    name, attributes = content
    if type(current).__qualname__ != name:
        raise ValueError(f"A callback had an object of the class {name}, but now {type(current).__qualname__}.")
    for attribute, item in attributes:
        object.__setattr__(current, attribute, unpack(item, arrays, getattr(current, attribute, None)))
    return current


def _is_scalar(value: Any) -> bool:
    return value is None or (isinstance(value, bool | int | float | str) and not isinstance(value, np.generic))


def _has_a_place(value: Any) -> bool:
    """Return whether a value is put into another one, which must be there: it is an attribute, and in no collection."""
    return _is_object(value) or type(value) is collections.defaultdict


def _is_object(value: Any) -> bool:
    is_other = isinstance(value, keras.callbacks.Callback | keras.layers.Layer | dict | list | tuple | set)
    return (
        bool(attributes_of(value)) and is_object_of_the_user(value) and not is_other and not hasattr(value, "__next__")
    )


def _is_tensor(value: Any) -> bool:
    """Return whether a value is a tensor with numbers: not one of a graph, and no variable."""
    return type(value).__name__ == "EagerTensor" and getattr(value, "dtype", None) not in ("string", "resource")
