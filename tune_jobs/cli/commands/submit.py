"""The command that submits an experiment to a cluster."""

from __future__ import annotations

import sys
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
    "[default: ~/runs of the head, if it is the only node]",
)
@click.option(
    "--working-dir",
    type=options.PATH,
    metavar="FOLDER",
    help="The folder to send: the experiment and all that it imports.  "
    "[default: this folder; none for a shipped experiment]",
)
@click.option(
    "--requirements",
    type=options.PATH,
    metavar="FILE",
    help="Packages to install for the job, as for pip install -r.",
)
@click.option("--resume", metavar="RUN", help="Continue this run of the storage instead of starting a new one.")
@click.option("--follow", is_flag=True, help="Print the output of the job until it is over, and exit with its status.")
@run_options
@options.diagnostics
@click.pass_context
def submit(ctx: click.Context, /, experiment: str, follow: bool, **request: Any) -> None:
    """Submit EXPERIMENT to a Ray cluster, which runs it as `tune-jobs run` does here.

    All checks are made before anything is sent. The job then goes on without this machine. `tune-jobs fetch` copies its
    run to this machine.
    """
    from tune_jobs.cluster.jobs.submit import submit as send
    from tune_jobs.views.reports.jobs import print_submitted

    job = send(experiment, **request)
    commands = [jobs.command(each, job) for each in ("status", "logs -f", "view", "stop", "fetch")]
    print_submitted(console_of(sys.stdout), job.state(), commands, job.notes)
    if follow:
        click.echo()
        jobs.follow(ctx, job)
