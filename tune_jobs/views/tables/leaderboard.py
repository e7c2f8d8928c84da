"""A leaderboard as a table: as much of it as a terminal has room for, or all of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from rich.text import Text

from trainables.settings import spread_of
from tune_jobs.results.evaluations import on_test_set
from tune_jobs.views.tables.columns import TextColumn, counted, fitting, folded, merged, text_columns
from tune_jobs.views.tables.printing import GAP
from tune_jobs.views.text import clean

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

_FIXED = 7  # rank, trial, status, the objective, best_epoch, epochs, seconds: the leaderboard's first columns
_FIRST = 4
_WIDEST_CELL = 40
_NARROW_GAP = 1


def print_leaderboard(console: Console, frame: pd.DataFrame, parameters: int = 0) -> None:
    """Print a leaderboard.

    A terminal gets the columns that fit its width, and the names of the others. Every other output gets all of them.

    Args:
        console: The output.
        frame: A leaderboard, or its first rows.
        parameters: Number of its columns that are parameters.
    """
    if frame.empty:
        console.print("No trial has started yet.", markup=False)
    elif not console.is_terminal:
        console.file.write(table_text(frame))
    else:
        columns, gap, hidden = fitted(frame, console.width, parameters)
        for style, lines in groupby(_lines(columns, frame, gap), key=itemgetter(0)):
            text = "\n".join(line for _, line in lines)
            console.print(Text(text, style, no_wrap=True, overflow="ellipsis"))
        if hidden:
            names = ", ".join(map(clean, hidden))
            console.print(Text(f"No room for {names}: --format csv shows all.", style="dim"))


def table_text(frame: pd.DataFrame) -> str:
    """Return a leaderboard as plain text, as wide as it needs. Columns without any value are left out."""
    return "".join(f"{line}\n" for _, line in _lines(_filled(frame), frame, GAP))


def fitted(frame: pd.DataFrame, width: int, parameters: int = 0) -> tuple[list[TextColumn], int, list[str]]:
    """Return the columns that fit on a terminal, the spaces between them, and the names of the others.

    Args:
        frame: A leaderboard, or its first rows.
        width: Columns of the terminal.
        parameters: Number of its columns that are parameters. They matter more than the other metrics.
    """
    metrics = {str(name) for name in frame.columns[_FIXED + parameters :]}
    filled = _filled(frame)
    columns = [folded(column, _WIDEST_CELL) for column in merged(filled)]
    order = _importance(columns, metrics, known={column.name for column in filled})
    gap = GAP
    kept = fitting(columns, order, width, gap)
    if len(kept) < len(order):
        gap = _NARROW_GAP
        kept = fitting(columns, order, width, gap)
    hidden = [column.name for column in columns if column.name not in kept and column.name in order]
    return [column for column in columns if column.name in kept], gap, hidden


def _importance(columns: Sequence[TextColumn], metrics: AbstractSet[str], known: Collection[str]) -> list[str]:
    """Return the names of the columns that are worth showing, the most important first."""
    lists = [column for column in columns if column.name not in known]
    counts = counted(columns[_FIRST:], lists)
    importance = {"epochs": 1, "error": 3, "best_epoch": 4, "seconds": 5, "node": 7}
    importance |= {"feasible": 1, **dict.fromkeys(_beside_objective(columns), 1)}

    def importance_of(index: int) -> int:
        name = columns[index].name
        if index < _FIRST:
            return 0
        return 6 if name in counts or name in metrics - importance.keys() else importance.get(name, 2)

    one_node = {column.name for column in columns if column.name == "node" and len(set(column.cells)) == 1}
    ordered = sorted(range(len(columns)), key=importance_of)
    return [columns[index].name for index in ordered if columns[index].name not in one_node]


def _filled(frame: pd.DataFrame) -> list[TextColumn]:
    """Return the columns that have a value, with those that belong to the objective beside it."""
    columns = text_columns(frame)
    first, rest = columns[:_FIRST], [column for column in columns[_FIRST:] if not column.is_empty]
    beside = _beside_objective(columns)
    return [*first, *sorted(rest, key=lambda column: beside.get(column.name, len(beside)))]


def _beside_objective(columns: Sequence[TextColumn]) -> dict[str, int]:
    """Return the columns of the objective's spread and of its test score, with their order."""
    objective = columns[_FIRST - 1].name
    return {spread_of(objective): 0, on_test_set(objective): 1}


def _lines(columns: Sequence[TextColumn], frame: pd.DataFrame, gap: int) -> Iterator[tuple[str, str]]:
    """Yield the style and the text of each line. The tables of rich take fifty times as long."""
    headers = [column.header.split("\n") for column in columns]
    height = max(map(len, headers))
    texts = [
        column.aligned([*[""] * (height - len(header)), *header, *column.cells])
        for column, header in zip(columns, headers, strict=True)
    ]
    styles = [*["bold"] * height, *(_style(str(rank)) for rank in frame.iloc[:, 0].tolist())]
    for style, row in zip(styles, zip(*texts, strict=True), strict=True):
        yield style, (" " * gap).join(row).rstrip()


def _style(rank: str) -> str:
    if rank == "1":
        return "bold green"
    return "" if rank.isdigit() else "dim"
