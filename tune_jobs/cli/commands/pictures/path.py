"""The command that shows the path of a sweep."""

from __future__ import annotations

from pathlib import Path

import click

from tune_jobs.cli import options
from tune_jobs.cli import table_output as tables


@click.command()
@click.argument("run")
@options.storage
@tables.format_
@tables.output
@options.diagnostics
def path(run: str, storage: Path | str, format_: str | None, output: Path | None) -> None:
    """Print the path that the sweep of RUN took: one row per step, and the configuration that it reached."""
    from tune_jobs.analysis.sweep_path import read_steps, sweep_path
    from tune_jobs.results.find import find_run
    from tune_jobs.views.tables.export import format_for
    from tune_jobs.views.tables.sweep_path import print_path

    chosen = format_for(format_, output)
    found_run = find_run(run, storage)
    tables.put(
        sweep_path(found_run),
        chosen,
        output,
        lambda console: print_path(console, read_steps(found_run), found_run.objective.metric),
    )
