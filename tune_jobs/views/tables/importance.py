"""The importance of parameters, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tune_jobs.analysis.importance import Importance, Importances
from tune_jobs.base.words import quantity
from tune_jobs.views.tables.printing import new_table, print_line, print_table
from tune_jobs.views.text import clean

if TYPE_CHECKING:
    from rich.console import Console

_BAR = 30
_LITTLE = 0.2


def print_importance(console: Console, importances: Importances, metric: str) -> None:
    """Print the importance of parameters: a row a parameter, the most important first.

    Args:
        console: The output.
        importances: The importances.
        metric: The metric of the objective.
    """
    table = new_table()
    for name in ("parameter", "importance", "±", "active in", ""):
        table.add_column(name, justify="left" if name in ("parameter", "") else "right", overflow="fold")
    most = max((row.importance for row in importances.parameters), default=0.0)
    for row in importances.parameters:
        table.add_row(*map(Text, importance_row(row, most)))
    print_table(console, table)
    console.print()
    print_line(console, explanation(importances, metric))


def importance_row(row: Importance, most: float) -> tuple[str, str, str, str, str]:
    """Return name, importance, spread, share of trials and bar of a parameter.

    Args:
        row: The importance of the parameter.
        most: The importance that has the longest bar.
    """
    bar = "" if most <= 0 else "█" * round(_BAR * max(0.0, row.importance) / most)
    return clean(row.name), f"{row.importance:.3f}", f"{row.spread:.3f}", f"{row.active:.0%}", bar


def explanation(importances: Importances, metric: str) -> str:
    """Return how far the numbers can be trusted, in one sentence or two."""
    foretold = max(0.0, importances.explained)
    trust = " That is too little to trust these numbers: more trials help." if foretold < _LITTLE else ""
    return (
        f"A forest foretells {foretold:.0%} of the order of {quantity(importances.trials, 'trial')} by "
        f"{clean(metric)}; an importance is what it loses without the parameter.{trust}"
    )
