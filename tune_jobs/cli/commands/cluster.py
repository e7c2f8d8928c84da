"""The command that checks the launcher file of a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tune_jobs.cli import options

if TYPE_CHECKING:
    from tune_jobs.experiment.resources import Resources


@click.group()
def cluster() -> None:
    """Check the file that launches a cluster."""


@cluster.command()
@click.argument("file", type=options.PATH)
@click.argument("experiment", required=False)
@options.cpus
@options.gpus
@options.memory_bytes
@options.diagnostics
def check(file: Path, experiment: str | None, **requested: Any) -> None:
    """Check a launcher file.

    FILE is the file that `ray up` launches. It is read as Ray reads it, without asking the cloud. With EXPERIMENT, or
    with the resources of a trial, at least one kind of node must have room for a trial.
    """
    from tune_jobs.cluster.launcher.fitting import fitting_problems
    from tune_jobs.cluster.launcher.launcher_file import read
    from tune_jobs.errors import RequestError
    from tune_jobs.views.reports.launcher import report

    problems: list[str] = []
    try:
        launcher_file = read(file)
    except RequestError as error:
        problems += error.problems
    try:
        wanted = _wanted(experiment, requested)
    except RequestError as error:
        problems += error.problems
    if not problems and wanted is not None:
        problems = fitting_problems(launcher_file, wanted)
    if problems:
        raise RequestError(*problems)
    click.echo(report(launcher_file, wanted))


def _wanted(experiment: str | None, requested: dict[str, Any]) -> Resources | None:
    """Return the resources of a trial, or None if neither an experiment nor an option names them."""
    from search_spaces.checked import InvalidDeclaration
    from tune_jobs.errors import RequestError
    from tune_jobs.experiment.overrides import Overrides
    from tune_jobs.experiment.resources import Resources

    if experiment is not None:
        from tune_jobs.loading.loader import load

        return load(experiment, Overrides(**requested).apply).experiment.resources
    given = {name: value for name, value in requested.items() if value is not None}
    try:
        return Resources(**given) if given else None
    except InvalidDeclaration as error:
        raise RequestError(*error.problems) from error
