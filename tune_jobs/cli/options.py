"""Options that several commands have."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tune_jobs.cli.failures import DEBUG

STORAGE_VARIABLE = "TUNE_JOBS_STORAGE"
DEFAULT_STORAGE = "runs"


def default_storage() -> Path:
    """Where runs lie when no option says so."""
    return Path(os.environ.get(STORAGE_VARIABLE) or DEFAULT_STORAGE)


def _set_debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001 - click's
    if value:
        ctx.meta[DEBUG] = True


storage = click.option(
    "--storage",
    type=click.Path(path_type=Path),
    envvar=STORAGE_VARIABLE,
    default=DEFAULT_STORAGE,
    metavar="FOLDER",
    help=f"The folder of the runs.  [default: {STORAGE_VARIABLE}, or ./{DEFAULT_STORAGE}]",
)
trial = click.option("--trial", type=int, metavar="ID", help="Which trial.  [default: the best]")
force = click.option("--force", is_flag=True, help="Go on although the space or the code has changed.")
debug = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_set_debug,
    help="Show the traceback of an error.",
)
