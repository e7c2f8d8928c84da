"""Joins the Ray cluster that RAY_ADDRESS names, and leaves it again; never starts or stops one."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from tune_jobs.engine.on_ray.errors import in_one_line
from tune_jobs.errors import RequestError
from tune_jobs.host.environment import forwarded, variables_set
from tune_jobs.host.output import drop_native_stderr
from tune_jobs.host.shipping import modules_to_send, own_folders
from tune_jobs.host.signals import held_back

_NAMESPACE = "tune-jobs"  # tells a connection of ours from one that the process had before
_JOB_CONFIG = "RAY_JOB_CONFIG_JSON_ENV_VAR"  # where Ray tells the driver of a job what it was submitted with
_ANSWER_S = 10.0


def cluster_address() -> str | None:
    """The address of the cluster that this process is to join; None: it starts a Ray of its own."""
    address = os.environ.get("RAY_ADDRESS", "")
    return None if address in ("", "local") else address


def is_connected() -> bool:
    """Whether this process has joined a Ray."""
    ray = sys.modules.get("ray")
    return ray is not None and ray.is_initialized()


def join(address: str) -> None:
    """Joins a cluster, so that the workers get what this process has.

    Raises:
        RequestError: There is none, or it is none for us.
    """
    import ray

    _check(address)
    inherited = json.loads(os.environ.get(_JOB_CONFIG, "{}")).get("runtime_env", {})
    try:
        # Without it, a variable that the job has as well is refused.
        with held_back(), drop_native_stderr(), variables_set({"RAY_OVERRIDE_JOB_RUNTIME_ENV": "1"}):
            ray.init(
                address=address,
                namespace=_NAMESPACE,
                runtime_env=_runtime_env(inherited),
                logging_level=logging.WARNING,
            )
    except Exception as error:
        reason = in_one_line(f"{type(error).__name__}: {error}")
        raise RequestError(
            f"The Ray cluster at {address} cannot be joined ({reason}). It must run the same Ray and Python as this; "
            "this machine must be one of its nodes (from elsewhere: tune-jobs submit); where it wants a token, "
            "RAY_AUTH_MODE=token and the token must be set here as there."
        ) from error


def leave() -> None:
    """Leaves a cluster that was joined here; one that the process had joined before is left alone."""
    import ray

    if ray.is_initialized() and ray.get_runtime_context().namespace == _NAMESPACE:
        ray.shutdown()


def _runtime_env(inherited: dict[str, Any]) -> dict[str, Any]:
    """What workers get, wherever they are.

    Args:
        inherited: What those of this process's job get already.
    """
    working_dir = str(Path.cwd()) if "working_dir" in inherited else None  # Ray has the driver start in its copy
    modules = [*inherited.get("py_modules", []), *modules_to_send(own_folders(), working_dir)]
    # An empty list makes Ray fail (ray 2.60: runtime_env/py_modules.py).
    return {"env_vars": forwarded(os.environ), **({"py_modules": modules} if modules else {})}


def _check(address: str) -> None:
    """Refuses what Ray would wait for a minute for, or understand in another way."""
    if "://" in address:
        raise RequestError(
            f"The address is {address}, but must be host:port of a cluster that this machine belongs to, or auto. "
            "From elsewhere, submit a job to its Jobs server: tune-jobs submit --address http://host:8265."
        )
    host, colon, port = address.rpartition(":")
    if address == "auto":
        return
    if not colon or not port.isdecimal():
        raise RequestError(f"The address is {address}, but must be host:port, such as 10.0.0.1:6379, or auto.")
    try:
        with closing(socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S)):
            return
    except OSError as error:
        raise RequestError(
            f"No Ray answers at {address} ({error.strerror or error}). Start it (ray start --head), correct --address "
            "or RAY_ADDRESS, or leave them out to run on this machine."
        ) from error
