"""A space as a table of plain text."""

import math
from collections.abc import Mapping

from search_spaces.parameters.base import Parameter

_WIDEST_CELL = 48


def table(parameters: Mapping[str, Parameter], size: int | float) -> str:
    """Return one line per parameter: name, kind, values, their number, and what it depends on."""
    header = ("name", "kind", "values", "number", "active")
    rows = [header, *(_row(name, parameter) for name, parameter in parameters.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", f"{len(parameters)} parameters, {_amount(size)} configurations"])


def _row(name: str, parameter: Parameter) -> tuple[str, ...]:
    size = math.inf if parameter.size is None else parameter.size
    return (
        name,
        type(parameter).__name__,
        _cut(parameter.describe()),
        _amount(size),
        _cut(_dependence(parameter)),
    )


def _dependence(parameter: Parameter) -> str:
    conditions = " and ".join(str(each) for each in parameter.conditions)
    parts = [f"per {parameter.count}" if parameter.count else "", f"when {conditions}" if conditions else ""]
    return " ".join(part for part in parts if part) or "always"


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST_CELL else text[: _WIDEST_CELL - 1] + "…"


def _amount(number: int | float) -> str:
    if number == math.inf:
        return "∞"
    return f"{number:,}" if number < 10**9 else f"10^{math.log10(number):.1f}"
