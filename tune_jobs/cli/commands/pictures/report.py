"""The command that writes the report of runs."""

from __future__ import annotations

from pathlib import Path

import click

from tune_jobs.cli import options

FORMATS = ("html", "png", "svg", "pdf")


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN [RUN…]")
@options.storage
@click.option(
    "--output",
    type=options.PATH,
    metavar="FILE|FOLDER",
    help="The .html file to write; for pictures, the folder.  [default: report.html, or figures]",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="html",
    help="One page that opens without a network, or each figure as a picture for a paper.",
)
@options.diagnostics
def report(runs: tuple[str, ...], storage: Path | str, output: Path | None, format_: str) -> None:
    """Write the report of RUN: result, leaderboard, curves, parameters, timeline. Several RUNs are compared, too.

    The report is one file. It loads nothing from a network.
    """
    from tune_jobs.report.figures.style import check_plotly
    from tune_jobs.results.find import find_all_runs

    check_plotly()
    if format_ == "html":
        file = check_page(output or Path("report.html"))
        named = find_all_runs(runs, storage)
        from tune_jobs.report.write import write_report

        write_report(named, file)
        click.echo(f"report: {file} ({file.stat().st_size / 1e6:.1f} MB)", err=True)
        return
    from tune_jobs.report.pictures import check_folder, write_pictures

    named = find_all_runs(runs, storage)  # before the folder is made
    folder = check_folder(output or Path("figures"))
    for path in write_pictures(named, folder, format_):
        click.echo(f"drawn in {path}", err=True)


def check_page(output: Path) -> Path:
    """Return the file of a page.

    Raises:
        RequestError: It is no .html file, or its folder does not exist.
    """
    from tune_jobs.errors import RequestError

    if output.suffix.lower() not in (".html", ".htm"):
        raise RequestError(f"The suffix of {output} is not that of a page, but must be .html: choose another --output.")
    if not output.absolute().parent.is_dir():
        raise RequestError(f"The folder of {output} does not exist: make it, or choose another --output.")
    return output
