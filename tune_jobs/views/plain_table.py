"""Tables of whatever width they take, where there is no terminal whose width could be kept."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

_UNLIMITED = 1_000_000


def print_table(console: Console, table: Table) -> None:
    """Prints a table: on a terminal within its width, else of whatever width it takes."""
    if console.is_terminal:
        console.print(table)
    else:
        console.file.write(plain_text(table))


def plain_text(table: Table) -> str:
    """A table as text of whatever width it takes, without spaces at the ends of lines."""
    console = Console(file=io.StringIO(), width=_UNLIMITED, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
