"""The commands that list runs and print the leaderboard of one."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tune_jobs.base.gc_pause import gc_paused
from tune_jobs.cli import options
from tune_jobs.cli import table_output as tables
from tune_jobs.cli.screen import console_of


@click.command()
@click.argument("run")
@options.storage
@click.option("--top", type=click.IntRange(min=1), help="Show this many of the best trials.")
@tables.format_
@tables.output
@options.diagnostics
@gc_paused()
def leaderboard(run: str, storage: Path | str, top: int | None, format_: str | None, output: Path | None) -> None:
    """Print the trials of RUN, the best first.

    On a terminal the table shows as many columns as fit. Every other output has all of them.
    """
    from tune_jobs.results.find import find_run
    from tune_jobs.views.tables.export import format_for
    from tune_jobs.views.tables.leaderboard import print_leaderboard
    from tune_jobs.views.text import clean

    chosen = format_for(format_, output)
    found_run = find_run(run, storage)
    frame, problems = found_run.leaderboard_and_notes()
    frame = frame if top is None else frame.head(top)
    for problem in problems:
        click.echo(f"note: {clean(problem)}", err=True)
    tables.put(frame, chosen, output, lambda console: print_leaderboard(console, frame, len(found_run.space.slots())))


@click.command()
@options.storage
@options.diagnostics
def runs(storage: Path | str) -> None:
    """List the runs of the storage, the newest last."""
    from tune_jobs.results.find import list_runs
    from tune_jobs.views.tables.runs import print_runs
    from tune_jobs.views.text import clean

    found_runs = list_runs(storage, lambda error: click.echo(f"note: {clean(error)}", err=True))
    print_runs(console_of(sys.stdout), found_runs, storage)
