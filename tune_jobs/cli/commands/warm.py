"""The command that keeps a Ray and the imports of its workers between the runs of this user."""

from __future__ import annotations

import click

from tune_jobs.cli import options

DEFAULT_MINUTES = 30  # as tune_jobs.engine.on_ray.warm.begin has it. Importing that would make --help slow.


@click.command()
@click.option(
    "--minutes",
    type=float,
    default=DEFAULT_MINUTES,
    show_default=True,
    help="Minutes without a run after which it ends.",
)
@click.option("--stop", is_flag=True, help="End what this command has started, and nothing else.")
@options.diagnostics
def warm(minutes: float, stop: bool) -> None:
    """Keep a Ray with imported workers on this machine.

    `run` and `resume` use it, and leave it clean: their first epoch comes seconds sooner. It serves one run at a time,
    of this user and this Python. Each run gets new workers, which load the experiment's code anew.
    """
    from tune_jobs.engine.on_ray.warm.begin import begin_for_user, stop_for_user

    if stop:
        process = stop_for_user()
        click.echo("Nothing is kept warm." if process is None else f"Ended the warm Ray of process {process}.")
        return
    present = begin_for_user(minutes)
    if not present["is_new"]:
        click.echo(f"A Ray is kept warm already, by process {present['process']}. End it with: tune-jobs warm --stop")
        return
    click.echo(
        f"Process {present['process']} keeps a Ray warm until no run has used it for {minutes:g} minutes. It takes "
        f"{present['own_bytes'] / 2**20:,.0f} MiB. End it with: tune-jobs warm --stop"
    )
