"""The command that puts runs side by side."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tune_jobs.cli import options
from tune_jobs.cli.screen import console_of

FORMATS = ("table", "csv", "json", "markdown")


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN…")
@options.storage
@click.option("--format", "format_", type=click.Choice(FORMATS), default="table", help="All but table: a row a run.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to draw the best so far, a PNG.")
@options.debug
def compare(runs: tuple[str, ...], storage: Path, format_: str, output: Path | None) -> None:
    """Compare RUNs: what each found, what it took, and whether the difference is more than luck.

    A RUN that is the name of repeats (run --repeats) is told by their median and quartiles, and only repeats can show
    that a difference is more than luck. The picture has the best objective so far over epochs and over seconds.
    """
    from tune_jobs.results.comparison import compare as compare_runs
    from tune_jobs.results.repeats import find_all_runs
    from tune_jobs.views.comparison import print_comparison
    from tune_jobs.views.plots.canvas import check_picture

    if output is not None:
        check_picture(output)
    comparison = compare_runs(find_all_runs(runs, storage))
    if format_ == "table":
        print_comparison(console_of(sys.stdout), comparison, options.default_storage())
    else:
        from tune_jobs.results.formats import to_text
        from tune_jobs.views.export import safe

        text = to_text(comparison.table(), format_)
        click.echo(safe(text) if sys.stdout.isatty() else text.encode(), nl=False)
    if output is not None:
        from tune_jobs.views.plots.best_so_far import draw

        draw(comparison, output)
        click.echo(f"drawn in {output}", err=True)
