"""What a job is made of: the command that the head runs, its environment, and what is remembered of it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tune_jobs.cluster.jobs.preflight import HOME
from tune_jobs.cluster.jobs.upload import LEFT_OUT
from tune_jobs.experiment.fields import FIELDS
from tune_jobs.host.environment import forwarded

# How a job tells what it is, in the metadata that Ray keeps with it.
RUN, EXPERIMENT, STORAGE = "tune_jobs_run", "tune_jobs_experiment", "tune_jobs_storage"
REFERENCE, FETCHES = "tune_jobs_reference", "tune_jobs_fetches"
# Ray gives a job that is stopped 3 s. A run needs up to half a minute to write checkpoints and journal.
_STOP_WITHIN_S = 60


def command_line(module: str, *arguments: str) -> str:
    """A shell's line that runs a module of this package with the head's Python."""
    return " ".join(["exec", "python", "-m", module, *map(quoted, arguments)])


def quoted(argument: str) -> str:
    """An argument for the head's shell; a leading ``~/`` stands for the home there."""
    if argument.startswith(HOME):
        return f'"$HOME"/{shlex.quote(argument.removeprefix(HOME))}'
    return shlex.quote(argument)


def flags(options: Mapping[str, Any]) -> list[str]:
    """The options of ``tune-jobs run`` as they are typed; those that are None, or an empty tuple, are left out."""
    typed: list[str] = []
    for name, value in options.items():
        for each in value if isinstance(value, list | tuple) else (value,):
            if each is not None:
                typed += [flag(name), str(each)]
    return typed


def flag(name: str) -> str:
    """How an option is typed."""
    field = FIELDS.get(name)
    return field.flags[0] if field and len(field.flags) == 1 else f"--{name.replace('_', '-')}"


def runtime_env(
    working_dir: Path | None, requirements: Sequence[str], environment: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """What Ray sets up for a job and all its workers.

    Args:
        working_dir: The folder that is sent; None: none is.
        requirements: Packages that are installed there, a line each.
        environment: The variables here; those that steer TensorFlow, JAX and Keras go along.
    """
    prepared: dict[str, Any] = {"env_vars": {**forwarded(environment), "RAY_JOB_STOP_WAIT_TIME_S": str(_STOP_WITHIN_S)}}
    if working_dir is not None:
        prepared |= {"working_dir": str(working_dir.resolve()), "excludes": list(LEFT_OUT)}
    if requirements:
        prepared["pip"] = list(requirements)
    return prepared
