"""Arithmetic over named numbers, such as ``parameters / 1e6``: parsed without running any code."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_OF_LISTS: tuple[Callable[[list[float]], float], ...] = (sum, min, max, len)
FUNCTIONS: Final = {function.__name__: function for function in _OF_LISTS}
"""The functions of a list, such as a repeated parameter."""


class UnknownName(KeyError):  # noqa: N818 - it says that there is nothing to judge, not that something failed
    """A name of an expression has no value, as a parameter that is not active."""


def arithmetic_problem(node: ast.expr) -> str | None:
    """Return what an expression has that is no arithmetic over names and numbers; None if there is nothing."""
    match node:
        case ast.Name():
            return None
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool) and abs(value) <= 1e300:
            return None
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return arithmetic_problem(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return arithmetic_problem(left) or arithmetic_problem(right)
        case ast.Call(func=ast.Name(id=name), args=[ast.Name()], keywords=[]) if name in FUNCTIONS:
            return None
    return ast.unparse(node)


def names_in(node: ast.expr) -> Iterator[str]:
    """Yield the names that an expression needs, each as often as it stands there."""
    functions = {id(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
    yield from (each.id for each in ast.walk(node) if isinstance(each, ast.Name) and id(each) not in functions)


def value_of(node: ast.expr, values: Mapping[str, Any]) -> float:
    """Return the value of an expression; NaN where it has none, as of a division by zero, or of a text.

    Args:
        node: An expression without ``arithmetic_problem``.
        values: The values by name: numbers, or lists of numbers for a function of a list.

    Raises:
        UnknownName: A name has no value.
    """
    try:
        return float(_value(node, values))
    except (ArithmeticError, TypeError, ValueError):
        return math.nan


def _value(node: ast.expr, values: Mapping[str, Any]) -> float:
    match node:
        case ast.Constant(value=value):
            return value  # type: ignore[return-value]
        case ast.Name(id=name):
            return float(_named(name, values))
        case ast.UnaryOp(op=op, operand=operand):
            return -_value(operand, values) if isinstance(op, ast.USub) else _value(operand, values)
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left, values), _value(right, values))
        case ast.Call(func=ast.Name(id=function), args=[ast.Name(id=name)]):
            return FUNCTIONS[function]([float(each) for each in _named(name, values)])
    raise TypeError(ast.dump(node))


def _named(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise UnknownName(name)
    value = values[name]
    if isinstance(value, str):
        raise TypeError(name)  # float("1e3") would be a number
    return value
