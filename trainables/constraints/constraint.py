"""A constraint: two sides and a comparison, such as ``parameters <= 1e5``, and how far a trial is from keeping it."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from trainables.constraints.expression import UnknownName, arithmetic_problem, names_in, value_of

_COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[float, float], bool], str]] = {
    ast.LtE: ("<=", operator.le, ">"),
    ast.Lt: ("<", operator.lt, ">="),
    ast.GtE: (">=", operator.ge, "<"),
    ast.Gt: (">", operator.gt, "<="),
}
_LONGEST = 1000
_LEAST_VIOLATION = 1e-12
_MOST_VIOLATION = 1e300  # finite, because it is written into checkpoints
_RULE = "a comparison by <, <=, > or >= of numbers and names, such as 'parameters <= 1e5'"


class InvalidConstraint(ValueError):  # noqa: N818 - it tells of a declaration, not of a failure
    """A text that is no constraint. The message says why."""


@dataclass(frozen=True)
class Constraint:
    """A constraint on the values that a trial has.

    Args:
        text: A comparison, such as ``"parameters <= 1e5"`` or ``"units * layers < 512"``.

    Attributes:
        text: As given.

    Raises:
        InvalidConstraint: The text is no comparison of numbers and names.

    Example:
        >>> from trainables.constraints.constraint import Constraint
        >>> limit = Constraint("parameters <= 1e5")
        >>> limit.violation({"parameters": 90_000}), limit.violation({"parameters": 150_000})
        (0.0, 0.5)
        >>> limit.broken_words({"parameters": 150_000})
        'parameters 150,000 > 100,000'
    """

    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise InvalidConstraint(f"must be {_RULE}")
        _parsed(self.text)

    @property
    def names(self) -> tuple[str, ...]:
        """The names whose values it needs, in their order."""
        parsed = _parsed(self.text)
        return tuple(dict.fromkeys([*names_in(parsed.left), *names_in(parsed.comparators[0])]))

    @property
    def bound(self) -> tuple[str, str, float] | None:
        """The name, the comparison and the number, if one name is compared with a number; else None."""
        parsed = _parsed(self.text)
        left, right = parsed.left, parsed.comparators[0]
        sign, _, _ = _COMPARISONS[type(parsed.ops[0])]
        if isinstance(right, ast.Name) and not list(names_in(left)):
            left, right, sign = right, left, sign.translate(str.maketrans("<>", "><"))
        if not isinstance(left, ast.Name) or list(names_in(right)):
            return None
        return left.id, sign, value_of(right, {})

    def is_kept(self, values: Mapping[str, Any]) -> bool:
        """Return whether values keep it: see ``violation``."""
        return self.violation(values) == 0

    def violation(self, values: Mapping[str, Any]) -> float:
        """Return how far values are from keeping it, as a part of the bound; 0 if they keep it.

        It is 1e300 if a value is NaN. A name without a value, as a parameter that is not active, keeps it.

        Args:
            values: The values by name.
        """
        try:
            left, right = self._sides(values)
        except UnknownName:
            return 0.0
        _, holds, _ = _COMPARISONS[type(_parsed(self.text).ops[0])]
        if holds(left, right):
            return 0.0
        distance = abs(left - right) / (abs(right) or 1.0)
        return _MOST_VIOLATION if math.isnan(distance) else min(max(distance, _LEAST_VIOLATION), _MOST_VIOLATION)

    def has_no_value(self, values: Mapping[str, Any]) -> bool:
        """Return whether a side is no number, as of a text, of a list, or of a division by zero."""
        return self.violation(values) == _MOST_VIOLATION

    def broken_words(self, values: Mapping[str, Any]) -> str:
        """Return what values break: "parameters 150,000 > 100,000".

        Args:
            values: The values by name, which do not keep it.
        """
        parsed = _parsed(self.text)
        left, right = self._sides(values)
        _, _, opposite = _COMPARISONS[type(parsed.ops[0])]
        if math.isnan(left) or math.isnan(right):
            return f"{self.text} has no value"
        sides = ((parsed.left, left), (parsed.comparators[0], right))
        return f" {opposite} ".join(_side_words(node, value) for node, value in sides)

    def _sides(self, values: Mapping[str, Any]) -> tuple[float, float]:
        parsed = _parsed(self.text)
        return value_of(parsed.left, values), value_of(parsed.comparators[0], values)


def total_violation(constraints: Iterable[Constraint], values: Mapping[str, Any]) -> float:
    """Return the sum of the violations of constraints by values: 0 if all are kept."""
    return sum(constraint.violation(values) for constraint in constraints)


def broken_words(constraints: Iterable[Constraint], values: Mapping[str, Any]) -> str:
    """Return what values break of some constraints; "" if they keep all."""
    return "; ".join(each.broken_words(values) for each in constraints if not each.is_kept(values))


def _side_words(node: ast.expr, value: float) -> str:
    is_number = not list(names_in(node))
    return _number(value) if is_number else f"{ast.unparse(node)} {_number(value)}"


def _number(value: float) -> str:
    return f"{int(value):,}" if abs(value) < 1e15 and value == int(value) else f"{value:.6g}"


@lru_cache(maxsize=1024)
def _parsed(text: str) -> ast.Compare:
    if len(text) > _LONGEST:
        raise InvalidConstraint(f"must be a text of at most 1,000 letters: {_RULE}")
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InvalidConstraint(f"must be {_RULE}") from None
    if not isinstance(parsed, ast.Compare) or type(parsed.ops[0]) not in _COMPARISONS:
        raise InvalidConstraint(f"must be {_RULE}")
    if len(parsed.ops) > 1:
        raise InvalidConstraint("has several comparisons: write each as a constraint of its own")
    for side in (parsed.left, parsed.comparators[0]):
        if (wrong := arithmetic_problem(side)) is not None:
            raise InvalidConstraint(f"has `{wrong:.60}`, which is no number, name, sum, product, or sum(LIST)")
    if not any(True for side in (parsed.left, parsed.comparators[0]) for _ in names_in(side)):
        raise InvalidConstraint(f"names nothing that a trial has: it must be {_RULE}")
    return parsed
