"""The command that shows runs in a browser while they go on."""

from __future__ import annotations

from pathlib import Path

import click

from tune_jobs.cli import options
from tune_jobs.cli.commands.jobs import address


@click.command()
@click.argument("run", required=False, metavar="[RUN|FOLDER]")
@options.storage
@click.option("--job", metavar="JOB", help="Show the runs of a job on a cluster, copied from there every 15 seconds.")
@address
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen at.  [default: 8899, or a free one]")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--no-token", is_flag=True, help="Answer everybody who reaches the port, not only those who know a token."
)
@options.diagnostics
def view(
    run: str | None,
    storage: Path | str,
    job: str | None,
    address: str | None,
    port: int | None,
    host: str,
    no_token: bool,
) -> None:
    """Show RUN, or all runs of FOLDER, in a browser, and follow them while they go on.

    The page reads journals and changes nothing. It may be started and ended at any time; a run does not notice.
    Whoever knows the address that is printed can read everything that the report says.
    """
    from tune_jobs.errors import RequestError
    from tune_jobs.report.figures.style import check_plotly

    check_plotly()
    if job is not None and run is not None:
        raise RequestError("--job names the runs of a job, and RUN names others: leave one of them out.")
    from tune_jobs.report.live.server import LiveServer
    from tune_jobs.report.live.sources import runs_named, runs_of_job

    runs = runs_of_job(job, address) if job is not None else runs_named(run, storage)
    with LiveServer(runs, host, port, has_token=not no_token) as server:
        click.echo(f"view: {server.url}  (Ctrl-C ends it; the runs go on)")
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            click.echo("")
