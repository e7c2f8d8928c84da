"""The command that shows runs in a browser while they go on."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

import click

from tune_jobs.cli import options
from tune_jobs.cli.commands.jobs import address

_JOB = "raysubmit_"  # with which Ray's ids of jobs begin


@click.command()
@click.argument("run", required=False, metavar="[RUN|FOLDER|JOB]")
@options.storage
@click.option(
    "--job", metavar="JOB", help="Show the runs of a job on a cluster, copied from there every 15 seconds, as JOB does."
)
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
    """Show RUN, all runs of FOLDER, or the runs of JOB on a cluster, in a browser, and follow them while they go on.

    JOB is what `tune-jobs submit` printed, such as raysubmit_…; any other needs --address, which names the cluster.
    The page reads journals and changes nothing. It may be started and ended at any time; a run does not notice.
    Whoever knows the address that is printed can read everything that the report says.
    """
    from tune_jobs.errors import RequestError
    from tune_jobs.report.figures.style import check_plotly

    check_plotly()
    if job is not None and run is not None:
        raise RequestError("--job names the runs of a job, and RUN names others: leave one of them out.")
    if run is not None and (address is not None or run.startswith(_JOB)):
        job = run
    if address is not None and job is None:
        raise RequestError("--address names a cluster, and a JOB of it is missing: tune-jobs jobs lists those it has.")
    from tune_jobs.host.signals import terminable
    from tune_jobs.report.live.server import LiveServer
    from tune_jobs.report.live.sources import runs_named, runs_of_job

    with terminable(), closing(runs_of_job(job, address) if job is not None else runs_named(run, storage)) as runs:
        if runs.problem:
            click.echo(f"note: {runs.problem} It is tried again.", err=True)
        with LiveServer(runs, host, port, has_token=not no_token) as server:
            click.echo(f"view: {server.url}  (Ctrl-C ends it; the runs go on)")
            with suppress(KeyboardInterrupt):
                server.serve_forever(poll_interval=0.2)
    click.echo("")
