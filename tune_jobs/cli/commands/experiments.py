"""The commands that list the shipped experiments and describe an experiment."""

from __future__ import annotations

import click

from tune_jobs.cli import options


@click.command("list")
def list_experiments() -> None:
    """List the shipped experiments."""
    from tune_jobs.loading.shipped import list_shipped

    experiments = list_shipped()
    widest = max(map(len, experiments), default=0)
    for name, summary in experiments.items():
        click.echo(f"{name:{widest}}  {summary}")


@click.command()
@click.argument("experiment")
@options.diagnostics
def describe(experiment: str) -> None:
    """Describe EXPERIMENT: what is searched, how, and for how long."""
    from tune_jobs.loading.loader import load
    from tune_jobs.views.reports.experiment import description

    click.echo(description(load(experiment)))
