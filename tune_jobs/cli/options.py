"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tune_jobs.cli.exit_status import DEBUG
from tune_jobs.cli.screen import show_log

STORAGE_VARIABLE = "TUNE_JOBS_STORAGE"
DEFAULT_STORAGE = "runs"


def default_storage() -> Path | str:
    """Return the storage of runs that is used if no option names one."""
    return _location(os.environ.get(STORAGE_VARIABLE) or DEFAULT_STORAGE)


def _location(value: str) -> Path | str:
    from trainables.storage.object_store import is_uri

    return value if is_uri(value) else Path(value)


def join_at(address: str | None) -> None:
    """Make this process join a cluster. Ray itself reads the address from RAY_ADDRESS."""
    if address is not None:
        os.environ["RAY_ADDRESS"] = address


def _set_debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001 - click's
    if value:
        ctx.meta[DEBUG] = True


def _set_verbose(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001 - click's
    if value:
        show_log(ctx)


class _NamedPath(click.Path):
    """A path. An empty one, as of a variable of the shell that is not set, would be the current folder."""

    def convert(self, value: Any, parameter: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "":
            self.fail("it is empty, but must be a file or a folder: name one.", parameter, ctx)
        return super().convert(value, parameter, ctx)


PATH = _NamedPath(path_type=Path)


class _Keep(click.ParamType[str | int]):
    """A number of trials, "all" or "none"."""

    name = "keep"

    def convert(self, value: str | int, parameter: click.Parameter | None, ctx: click.Context | None) -> str | int:
        """Return the value of the experiment's field."""
        if value in ("all", "none") or isinstance(value, int):
            return value
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} is neither all, nor none, nor a whole number.", parameter, ctx)


class _Gpus(click.ParamType[str | float]):
    """A number of GPUs, or "auto"."""

    name = "gpus"

    def convert(self, value: str | float, parameter: click.Parameter | None, ctx: click.Context | None) -> str | float:
        """Return the value of the resources' field."""
        if value == "auto" or isinstance(value, float):
            return value
        try:
            return float(value)
        except ValueError:
            self.fail(f"{value!r} is neither auto nor a number.", parameter, ctx)


class _Storage(click.ParamType[Path | str]):
    """A folder, or the URI of an object store. As a Path, a URI would lose a slash."""

    name = "storage"

    def convert(self, value: Any, parameter: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        """Return the folder, or the URI."""
        if value == "":  # a variable of the shell that is not set; Python would take the current folder
            self.fail("it is empty, but must be a folder or a URI: name one, or leave the option out.", parameter, ctx)
        return _location(value) if isinstance(value, str) else Path(value)


KEEP = _Keep()
GPUS = _Gpus()
storage = click.option(
    "--storage",
    type=_Storage(),
    envvar=STORAGE_VARIABLE,
    default=DEFAULT_STORAGE,
    metavar="FOLDER|URI",
    help="The folder of the runs, or a URI such as s3://BUCKET/FOLDER.  "
    f"[default: {STORAGE_VARIABLE}, or ./{DEFAULT_STORAGE}]",
)
trial = click.option("--trial", type=int, metavar="ID", help="The trial to use.  [default: the best]")
experiment = click.option(
    "--experiment", metavar="EXPERIMENT", help="The file or module of the experiment, if it was moved or is not yours."
)
trust_code = click.option(
    "--trust-code", is_flag=True, help="Run the file that the run names, though you did not begin the run here."
)
force = click.option("--force", is_flag=True, help="Go on although the space or the code has changed.")
TOP = 10
top = click.option(
    "--top",
    type=click.IntRange(min=1),
    default=TOP,
    show_default=True,
    help="Trials to print at the end. Repeats print one row each.",
)
_debug = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_set_debug,
    help="Show the traceback of an error.",
)
_verbose = click.option(
    "--verbose",
    "-v",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_set_verbose,
    help="Show the log for developers, on stderr.",
)


def diagnostics(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options with which one finds a fault: ``--debug`` and ``--verbose``."""
    return _debug(_verbose(command))


address = click.option(
    "--address",
    metavar="HOST:PORT",
    help="The Ray cluster to run on. This machine must belong to it; auto finds it.  [default: RAY_ADDRESS, or none]",
)
together = click.option(
    "--together", type=int, help="Trials that train together in one worker where their models are equal, on JAX."
)
cpus = click.option("--cpus", type=float, help="CPUs of a trial.")
gpus = click.option("--gpus", type=GPUS, metavar="N|auto", help="GPUs of a trial: a part of one, or whole ones.")
memory_bytes = click.option("--memory-bytes", type=int, help="Main memory to set aside for a trial.")
max_retries = click.option("--max-retries", type=int, help="Times that a trial is continued after its worker died.")
same_failures = click.option(
    "--same-failures", type=int, help="The run ends when this many trials in a row fail with the same error."
)
trial_timeout_s = click.option(
    "--trial-timeout-s", type=float, help="Seconds without a finished epoch after which a trial fails."
)
