"""The command that draws learning curves."""

from __future__ import annotations

from pathlib import Path

import click

from tune_jobs.cli import options


@click.command()
@click.argument("run")
@options.storage
@click.option(
    "--output",
    type=options.PATH,
    required=True,
    metavar="FILE",
    help="Where to draw them: a .png, .svg or .pdf.",
)
@click.option("--metric", help="The metric to draw, on training and validation data.  [default: the objective]")
@options.diagnostics
def curves(run: str, storage: Path | str, output: Path, metric: str | None) -> None:
    """Draw the learning curves of RUN: one panel per step for a sweep, else the best trials."""
    from tune_jobs.results.find import find_run
    from tune_jobs.views.plots.canvas import check_picture

    check_picture(output)
    found_run = find_run(run, storage)
    from tune_jobs.views.plots.curves import draw

    draw(found_run, metric, output)
    click.echo(f"drawn in {output}", err=True)
