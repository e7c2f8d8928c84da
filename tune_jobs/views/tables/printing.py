"""Printing for all views: lines and commands that are never broken, tables that fit a terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tune_jobs.views.text import clean

_UNLIMITED = 1_000_000
GAP = 2


def new_table() -> Table:
    """Return a table without lines."""
    return Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")


def print_table(console: Console, table: Table) -> None:
    """Print a table. On a terminal it fits the width, elsewhere it takes the width that it needs."""
    if console.is_terminal:
        console.print(table)
    else:
        console.file.write(_plain_text(table))


def _plain_text(table: Table) -> str:
    """Return a table as text, as wide as it needs, without spaces at the ends of lines."""
    console = Console(file=io.StringIO(), width=_UNLIMITED, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def print_line(console: Console, text: Text | str) -> None:
    """Print a line that rich does not break: people copy paths and commands, and search logs."""
    console.print(text, soft_wrap=True)


def print_next(console: Console, commands: Sequence[str]) -> None:
    """Print the next commands, a line each."""
    for index, command in enumerate(commands):
        print_line(console, Text.assemble(("next: " if index == 0 else "      ", "bold"), clean(command)))
