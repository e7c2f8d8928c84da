"""The command that the head runs for a job, and the environment that it runs in."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tune_jobs.cluster.jobs.preflight import HOME
from tune_jobs.cluster.jobs.upload import LEFT_OUT
from tune_jobs.host.environment import forwarded

# Ray gives a job that is stopped 3 s. A run needs up to half a minute to write checkpoints and journal.
_STOP_WITHIN_S = 60
_OTHER_FLAGS = {"max_concurrent_trials": "--max-concurrent"}


def command_line(module: str, *arguments: str) -> str:
    """Return a shell's line that runs a module of this package with the head's Python.

    Args:
        module: The module, as after ``python -m``.
        *arguments: Its arguments.
    """
    return " ".join(["exec", "python", "-m", module, *map(quoted, arguments)])


def quoted(argument: str) -> str:
    """Return an argument as the head's shell needs it; a leading ``~/`` stands for the home there."""
    if argument.startswith(HOME):
        return f'"$HOME"/{shlex.quote(argument.removeprefix(HOME))}'
    return shlex.quote(argument)


def flags(options: Mapping[str, Any]) -> list[str]:
    """Return the options of ``tune-jobs run`` as a user types them.

    Args:
        options: The values by name. Those that are None, or an empty list, are left out.
    """
    words: list[str] = []
    for name, value in options.items():
        for item in value if isinstance(value, list | tuple) else (value,):
            if item is not None:
                words += [flag(name), str(item)]
    return words


def flag(name: str) -> str:
    """Return an option of ``tune-jobs run`` as it is typed."""
    return _OTHER_FLAGS.get(name) or f"--{name.replace('_', '-')}"


def runtime_env(
    working_dir: Path | None, requirements: Sequence[str], environment: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Return the environment that Ray sets up for a job and all its workers.

    Args:
        working_dir: The folder to send; None: no folder is sent.
        requirements: Packages that are installed there, a line each.
        environment: The variables here. Those that steer TensorFlow, JAX and Keras go along.
    """
    prepared: dict[str, Any] = {"env_vars": {**forwarded(environment), "RAY_JOB_STOP_WAIT_TIME_S": str(_STOP_WITHIN_S)}}
    if working_dir is not None:
        prepared |= {"working_dir": str(working_dir.resolve()), "excludes": list(LEFT_OUT)}
    if requirements:
        prepared["pip"] = list(requirements)
    return prepared
