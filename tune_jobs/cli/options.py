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


class _Keep(click.ParamType[str | int]):
    """A number of trials, or all or none of them."""

    name = "keep"

    def convert(self, value: str | int, parameter: click.Parameter | None, ctx: click.Context | None) -> str | int:
        """What the experiment's field is to be."""
        if value in ("all", "none") or isinstance(value, int):
            return value
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} is neither all, nor none, nor a whole number.", parameter, ctx)


KEEP = _Keep()
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
top = click.option(
    "--top",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Trials to print at the end; of repeats, a row each is printed.",
)
debug = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_set_debug,
    help="Show the traceback of an error.",
)
max_retries = click.option("--max-retries", type=int, help="How often a trial whose worker died is continued.")
same_failures = click.option(
    "--same-failures", type=int, help="Trials in a row, failed with the same error, that end the run."
)
trial_timeout_s = click.option(
    "--trial-timeout-s", type=float, help="Seconds without a finished epoch after which a trial fails."
)
