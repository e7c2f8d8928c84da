"""How a view prints: lines and commands that are never broken, tables within a terminal's width or of any."""

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
    """A table without lines."""
    return Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")


def print_table(console: Console, table: Table) -> None:
    """Prints a table: on a terminal within its width, else of whatever width it takes."""
    if console.is_terminal:
        console.print(table)
    else:
        console.file.write(_plain_text(table))


def _plain_text(table: Table) -> str:
    """A table as text of whatever width it takes, without spaces at the ends of lines."""
    console = Console(file=io.StringIO(), width=_UNLIMITED, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def print_line(console: Console, text: Text | str) -> None:
    """Prints a line that rich does not break: paths and commands are there to be copied, and logs to be searched."""
    console.print(text, soft_wrap=True)


def print_next(console: Console, commands: Sequence[str]) -> None:
    """Prints what can be typed next, a line a command."""
    for index, command in enumerate(commands):
        print_line(console, Text.assemble(("next: " if index == 0 else "      ", "bold"), clean(command)))
