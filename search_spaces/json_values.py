"""Values that JSON can hold: which they are, when two are the same, and plain copies of them."""

import math
from collections.abc import Hashable
from typing import Any

_DEEPEST = 32
_MOST_BITS = 1024  # as large as floats get; Python refuses to print integers that are much larger

_REMEDIES = {
    set: "use a list",
    frozenset: "use a list",
    bytes: "use a str",
    complex: "use a list of two floats",
}


def json_problem(value: object) -> str | None:
    """Return why JSON cannot hold the value, with a remedy, or None when it can.

    Tuples pass, because `plain` makes lists of them. Subclasses (enums, named tuples, NumPy's float64) do
    not: they would come back from the journal as something else.
    """
    return _json_problem(value, depth=0)


def _json_problem(value: Any, depth: int) -> str | None:
    kind = type(value)
    if depth > _DEEPEST:
        return f"is nested more than {_DEEPEST} levels deep: use a flatter value"
    if value is None or kind in (bool, str):
        return None
    if kind is int:
        too_large = value.bit_length() > _MOST_BITS
        return "is too large an integer: use a float, or a string" if too_large else None
    if kind is float:
        return None if math.isfinite(value) else f"holds {value!r}, which JSON has not: use None or a string"
    if kind in (list, tuple):
        return _first_problem(value, depth)
    if kind is dict:
        if any(type(key) is not str for key in value):
            return "holds a dict with keys that are not strings: use strings"
        return _first_problem(value.values(), depth)
    return f"holds a {_named(kind)}, which JSON has not: {_remedy(kind)}"


def _first_problem(values: Any, depth: int) -> str | None:
    return next((found for each in values if (found := _json_problem(each, depth + 1))), None)


def _named(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _remedy(kind: type) -> str:
    if kind.__module__.partition(".")[0] == "numpy":
        return "use .item() or .tolist()"
    builtin = next((base for base in (str, int, float, dict, list, tuple) if issubclass(kind, base)), None)
    if builtin is not None:
        return f"use a plain {builtin.__name__}"
    return _REMEDIES.get(kind, "use its name, a string, and look it up in the trainable")


def plain(value: Any) -> Any:
    """Return a deep copy with lists for tuples; a value that JSON cannot hold is returned as it is."""
    return value if json_problem(value) else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value


def identity(value: object) -> Hashable:
    """Return a key that two values share when they are the same JSON: 1 is 1.0, but True is not 1."""
    return ("not JSON", id(value)) if json_problem(value) else _identity(value)


def _identity(value: object) -> Hashable:
    if isinstance(value, list | tuple):
        return ("list", tuple(_identity(each) for each in value))
    if isinstance(value, dict):
        return ("dict", frozenset((key, _identity(each)) for key, each in value.items()))
    return ("bool", value) if isinstance(value, bool) else value
