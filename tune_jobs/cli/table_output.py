"""A table on the screen or in a file, in the chosen format."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tune_jobs.cli import options
from tune_jobs.cli.screen import console_of

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

FORMATS = ("table", "csv", "json", "markdown", "parquet")

format_ = click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="The format.  [default: the suffix of --output, or table]",
)
output = click.option("--output", type=options.PATH, metavar="FILE", help="The file to write.")


def put(frame: pd.DataFrame, chosen: str, output: Path | None, show: Callable[[Console], None]) -> None:
    """Write a table into a file, or print it if there is none.

    Args:
        frame: The table.
        chosen: The format that the user named: see ``views.tables.export.format_for``.
        output: The file.
        show: Prints the table for people.
    """
    from tune_jobs.views.tables.export import export, safe

    if output is not None:
        export(frame, chosen, output)
        click.echo(f"{len(frame)} rows written to {output}", err=True)
    elif chosen == "table":
        show(console_of(sys.stdout))
    else:
        from tune_jobs.results.formats import to_text

        text = to_text(frame, chosen)
        click.echo(safe(text) if sys.stdout.isatty() else text.encode(), nl=False)
