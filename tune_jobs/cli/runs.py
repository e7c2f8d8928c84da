"""The commands about runs: which there are, and what came of one."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tune_jobs.cli import options
from tune_jobs.cli.screen import console_of

FORMATS = ("table", "csv", "json", "markdown", "parquet")


@click.command()
@click.argument("run")
@options.storage
@click.option("--top", type=click.IntRange(min=1), help="Only the best so many trials.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="How to write it.  [default: as the suffix of --output says, or table]",
)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it.")
@options.debug
def leaderboard(run: str, storage: Path, top: int | None, format_: str | None, output: Path | None) -> None:
    """Print the trials of RUN, the best first.

    On a terminal a table shows as many columns as there is room for; every other output has all of them.
    """
    from tune_jobs.results.run import find_run
    from tune_jobs.views.export import export, format_for, safe
    from tune_jobs.views.tables import print_leaderboard
    from tune_jobs.views.text import clean

    chosen = format_for(format_, output)
    found = find_run(run, storage)
    frame = found.leaderboard()
    frame = frame if top is None else frame.head(top)
    if output is not None:
        export(frame, chosen, output)
        click.echo(f"{len(frame)} rows written to {clean(str(output))}", err=True)
    elif chosen == "table":
        print_leaderboard(console_of(sys.stdout), frame, len(found.space.slots()))
    else:
        from tune_jobs.results.formats import to_text

        text = to_text(frame, chosen)
        click.echo(safe(text) if sys.stdout.isatty() else text.encode(), nl=False)


@click.command()
@options.storage
@options.debug
def runs(storage: Path) -> None:
    """List the runs of the storage, the newest last."""
    from tune_jobs.results.run import list_runs
    from tune_jobs.views.run_table import print_runs

    print_runs(console_of(sys.stdout), list_runs(storage), storage)
