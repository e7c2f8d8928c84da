"""The commands about the jobs of a cluster."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tune_jobs.cli import options
from tune_jobs.cli.exit_status import FAILED, INTERRUPTED, WRONG_REQUEST
from tune_jobs.cli.screen import console_of

if TYPE_CHECKING:
    from tune_jobs.cluster.jobs.job import Job
    from tune_jobs.cluster.jobs.state import JobState

# A run writes its checkpoints and its journal first.
_STOPPED_WITHIN_S = 90.0

address = click.option(
    "--address",
    metavar="URL",
    help="The cluster's Jobs server: http://HEAD:8265.  [default: RAY_API_SERVER_ADDRESS, or RAY_ADDRESS]",
)


@click.command("jobs")
@address
@options.diagnostics
def list_jobs(address: str | None) -> None:
    """List the jobs of a cluster, the newest last."""
    from tune_jobs.cluster.jobs.job import list_jobs
    from tune_jobs.cluster.jobs.server import find_address, reach
    from tune_jobs.views.reports.jobs import print_jobs

    server = reach(find_address(address))
    print_jobs(console_of(sys.stdout), list_jobs(server), server.address)


@click.command()
@click.argument("job")
@address
@options.diagnostics
def status(job: str, address: str | None) -> None:
    """Print everything that the cluster knows about JOB."""
    from tune_jobs.cluster.jobs.job import find_job
    from tune_jobs.views.reports.jobs import print_state

    print_state(console_of(sys.stdout), find_job(job, address).state())


@click.command()
@click.argument("job")
@address
@click.option("-f", "--follow", "follows", is_flag=True, help="Print until the job is over, and exit with its status.")
@options.diagnostics
@click.pass_context
def logs(ctx: click.Context, /, job: str, address: str | None, follows: bool) -> None:
    """Print the output of JOB."""
    from tune_jobs.cluster.jobs.job import find_job
    from tune_jobs.views.reports.jobs import clean_lines

    found_job = find_job(job, address)
    if follows:
        follow(ctx, found_job)
        return
    for text in clean_lines([found_job.logs()]):
        click.echo(text, nl=False)


@click.command()
@click.argument("job")
@address
@options.diagnostics
def stop(job: str, address: str | None) -> None:
    """Stop JOB in good order, as Ctrl-C does.

    Its run can be fetched and resumed.
    """
    from tune_jobs.cluster.jobs.job import find_job

    found_job = find_job(job, address)
    if not found_job.stop():
        click.echo(f"{job} was over already: {found_job.status}.")
        return
    if not found_job.wait(_STOPPED_WITHIN_S):
        click.echo(f"{job} was asked to stop, and is not over yet: {command('status', found_job)}")
        return
    state = found_job.state()
    where = shlex.join(["--resume", state.run, "--storage", state.storage, "--address", found_job.server.address])
    click.echo(f"{job} is over: {state.status}.")
    click.echo(f"next: {command('fetch', found_job)}\n      tune-jobs submit EXPERIMENT {where}")


@click.command()
@click.argument("job")
@address
@options.storage
@click.option("--models", is_flag=True, help="Also copy the weights that the trials have kept.")
@options.diagnostics
def fetch(job: str, address: str | None, storage: Path | str, models: bool) -> None:
    """Copy the run of JOB to this machine, even while it goes on. Fetch it again to update the copy.

    Then `leaderboard` and all other commands work on it as on a run of this machine. `evaluate` needs --models.
    """
    from tune_jobs.cluster.jobs.job import find_job
    from tune_jobs.views.summary import shown_folder
    from tune_jobs.views.tables.printing import print_line, print_next

    runs = find_job(job, address).fetch(storage, models=models)
    console = console_of(sys.stdout)
    for run in runs:
        print_line(console, f"run:  {shown_folder(run.folder)}")
    named = shlex.join([runs[0].name, *([] if storage == options.default_storage() else ["--storage", str(storage)])])
    print_next(console, [f"tune-jobs leaderboard {named}", *([f"tune-jobs evaluate {named}"] if models else [])])


def command(name: str, job: Job) -> str:
    """Return the command line of a command about a job."""
    return f"tune-jobs {name} {shlex.join([job.id, '--address', job.server.address])}"


def follow(ctx: click.Context, job: Job) -> None:
    """Print the output of a job until the job is over, and exit with its status."""
    from tune_jobs.views.reports.jobs import clean_lines

    try:
        for text in clean_lines(job.follow()):
            click.echo(text, nl=False)
        job.wait()  # the last line of output comes a moment before the final status
    except KeyboardInterrupt:
        click.echo(f"\nThe job goes on: {command('logs -f', job)}, or {command('stop', job)}.", err=True)
        ctx.exit(INTERRUPTED)
    ctx.exit(exit_status(job.state()))


def exit_status(state: JobState) -> int:
    """Return the exit status for a job that has ended."""
    if state.status == "SUCCEEDED":
        return 0
    if state.status == "STOPPED":
        return INTERRUPTED
    return state.exit_status if state.exit_status in (FAILED, WRONG_REQUEST, INTERRUPTED) else FAILED
