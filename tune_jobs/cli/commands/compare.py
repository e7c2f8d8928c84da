"""The command that compares runs."""

from __future__ import annotations

from pathlib import Path

import click

from tune_jobs.cli import options
from tune_jobs.cli import table_output as tables

# Parquet needs a file, and --output is a picture.
FORMATS = tuple(name for name in tables.FORMATS if name != "parquet")


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN…")
@options.storage
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="table",
    help="All formats except table have one row per run.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to draw the best so far: a .png, .svg or .pdf.",
)
@options.diagnostics
def compare(runs: tuple[str, ...], storage: Path | str, format_: str, output: Path | None) -> None:
    """Compare RUNs: their results, their costs, and whether the difference is more than luck.

    A RUN that names repeats (run --repeats) is shown by its median and quartiles. Only repeats can show that a
    difference is more than luck. The picture shows the best objective so far, over epochs and over seconds.
    """
    from tune_jobs.analysis.comparison import compare as compare_runs
    from tune_jobs.results.find import find_all_runs
    from tune_jobs.views.plots.canvas import check_picture
    from tune_jobs.views.reports.comparison import print_comparison

    if output is not None:
        check_picture(output)
    comparison = compare_runs(find_all_runs(runs, storage))
    tables.put(
        comparison.table(),
        format_,
        None,
        lambda console: print_comparison(console, comparison, options.default_storage()),
    )
    if output is not None:
        from tune_jobs.views.plots.best_so_far import draw

        draw(comparison, output)
        click.echo(f"drawn in {output}", err=True)
