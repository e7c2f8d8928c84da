"""The command that submits an experiment to a cluster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tune_jobs.cli import options
from tune_jobs.cli.commands import jobs
from tune_jobs.cli.run_options import run_options
from tune_jobs.cli.screen import console_of


@click.command()
@click.argument("experiment")
@jobs.address
@click.option(
    "--storage",
    metavar="FOLDER|URI",
    help="The folder of the runs, as all nodes of the cluster see it, or a URI such as s3://BUCKET/FOLDER.  "
    "[default: ~/runs of the head, if it is alone]",
)
@click.option(
    "--working-dir",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="What is sent: the experiment and all that it imports.  [default: this folder; none for a shipped experiment]",
)
@click.option(
    "--requirements",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Packages to install for the job, as for pip install -r.",
)
@click.option("--resume", metavar="RUN", help="Go on with this run of the storage instead of beginning one.")
@click.option("--follow", is_flag=True, help="Print what the job prints until it is over, and exit as it does.")
@run_options
@options.debug
@click.pass_context
def submit(ctx: click.Context, /, experiment: str, follow: bool, **asked: Any) -> None:
    """Submit EXPERIMENT to a Ray cluster, which then does what `tune-jobs run` does here.

    Everything that can be wrong is checked before anything is sent. The job does not need this machine any more.
    `tune-jobs fetch` copies its run to this machine.
    """
    from tune_jobs.cluster.jobs.submit import submit as send
    from tune_jobs.views.reports.jobs import print_submitted

    job = send(experiment, **asked)
    commands = [jobs.command(each, job) for each in ("status", "logs -f", "stop", "fetch")]
    print_submitted(console_of(sys.stdout), job.state(), commands, job.notes)
    if follow:
        click.echo()
        jobs.follow(ctx, job)
