"""Values that JSON can represent: the test for them, when two are equal, and plain copies."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import Any

_MAX_DEPTH = 32
_MAX_INT_BITS = 1024  # as large as floats get; Python refuses to print integers that are much larger
_COMMON_INT = 2**53

_REMEDIES = {
    set: "use a list",
    frozenset: "use a list",
    bytes: "use a str",
    complex: "use a list of two floats",
}


def json_problem(value: object) -> str | None:
    """Return why JSON cannot represent a value, with a remedy, or None when it can.

    Tuples are accepted, because ``plain_copy`` turns them into lists. Subclasses (enums, named tuples, NumPy's float64)
    are refused: they would come back from the journal as something else.
    """
    return _json_problem(value, depth=0)


def _json_problem(value: Any, depth: int) -> str | None:
    kind = type(value)
    if depth > _MAX_DEPTH:
        return f"is nested more than {_MAX_DEPTH} levels deep: use a flatter value"
    if value is None or kind in (bool, str):
        return None
    if kind is int:
        too_large = value.bit_length() > _MAX_INT_BITS
        return "is too large an integer: use a float, or a string" if too_large else None
    if kind is float:
        return (
            None if math.isfinite(value) else f"contains {value!r}, which JSON cannot represent: use None or a string"
        )
    if kind in (list, tuple):
        return _first_problem(value, depth)
    if kind is dict:
        if any(type(key) is not str for key in value):
            return "contains a dict with keys that are not strings: use strings"
        return _first_problem(value.values(), depth)
    return f"contains a {_type_name(kind)}, which JSON cannot represent: {_remedy(kind)}"


def _first_problem(elements: Iterable[Any], depth: int) -> str | None:
    problems = (_json_problem(element, depth + 1) for element in elements)
    return next((problem for problem in problems if problem), None)


def _type_name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _remedy(kind: type) -> str:
    if kind.__module__.partition(".")[0] == "numpy":
        return "use .item() or .tolist()"
    builtin = next((base for base in (str, int, float, dict, list, tuple) if issubclass(kind, base)), None)
    if builtin is not None:
        return f"use a plain {builtin.__name__}"
    return _REMEDIES.get(kind, "use its name, a string, and look it up in the trainable")


def plain_copy(value: Any) -> Any:
    """Return a deep copy with lists instead of tuples; a value that JSON cannot represent is returned unchanged."""
    return value if json_problem(value) else _plain_copy(value)


def _plain_copy(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain_copy(element) for element in value]
    if isinstance(value, dict):
        return {key: _plain_copy(element) for key, element in value.items()}
    return value


def identity(value: object) -> Hashable:
    """Return a key that two values share if they are the same in JSON: 1 equals 1.0, but True does not equal 1."""
    if type(value) is str or (type(value) is int and -_COMMON_INT < value < _COMMON_INT):
        return value  # most values: a searcher compares thousands of them for a proposal
    return ("not JSON", id(value)) if json_problem(value) else _identity(value)


def _identity(value: object) -> Hashable:
    if isinstance(value, list | tuple):
        return ("list", tuple(_identity(element) for element in value))
    if isinstance(value, dict):
        return ("dict", frozenset((key, _identity(element)) for key, element in value.items()))
    return ("bool", value) if isinstance(value, bool) else value


def common_values(values: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """Return those of the first values that are also among the others, in the order of the first."""
    keys = {identity(other) for other in others}
    return [value for value in values if identity(value) in keys]
