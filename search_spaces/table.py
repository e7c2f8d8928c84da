"""A space as a table in plain text."""

from __future__ import annotations

import math
from collections.abc import Mapping

from search_spaces.parameters.base import Parameter

_MAX_CELL_WIDTH = 48


def table(parameters: Mapping[str, Parameter], size: int | float) -> str:
    """Return a table of the parameters, and a last line with the number of configurations.

    The table has one line for each parameter: name, kind, values, number of values, and when it is active.

    Args:
        parameters: The parameters by name.
        size: The number of configurations.
    """
    header = ("name", "kind", "values", "number", "active")
    rows = [header, *(_row(name, parameter) for name, parameter in parameters.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", f"{len(parameters)} parameters, {_amount_text(size)} configurations"])


def _row(name: str, parameter: Parameter) -> tuple[str, ...]:
    size = math.inf if parameter.size is None else parameter.size
    return (
        name,
        type(parameter).__name__,
        _shortened(parameter.describe()),
        _amount_text(size),
        _shortened(_activity_text(parameter)),
    )


def _activity_text(parameter: Parameter) -> str:
    conditions = " and ".join(str(condition) for condition in parameter.conditions)
    parts = [f"per {parameter.count}" if parameter.count else "", f"when {conditions}" if conditions else ""]
    return " ".join(part for part in parts if part) or "always"


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_CELL_WIDTH else text[: _MAX_CELL_WIDTH - 1] + "…"


def _amount_text(number: int | float) -> str:
    if number == math.inf:
        return "∞"
    return f"{number:,}" if number < 10**9 else f"10^{math.log10(number):.1f}"
