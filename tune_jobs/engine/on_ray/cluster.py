"""The Ray cluster that RAY_ADDRESS names: this process joins it, and leaves it; it never starts or stops one."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tune_jobs.engine.on_ray.errors import in_one_line
from tune_jobs.engine.on_ray.import_ray import import_ray
from tune_jobs.engine.on_ray.internals.startup import no_warning_about_signals
from tune_jobs.engine.on_ray.internals.state import job_runtime_env
from tune_jobs.errors import RequestError
from tune_jobs.host.background import in_background
from tune_jobs.host.environment import forwarded, modules_to_send, own_folders, variables_set
from tune_jobs.host.output import drop_native_stderr
from tune_jobs.host.signals import held_back

_NAMESPACE = "tune-jobs"  # tells a connection of ours from one that the process had before
_ANSWER_S = 10.0
_LOG = logging.getLogger(__name__)


def cluster_address() -> str | None:
    """Return the address of the cluster that this process is to join; None if it starts a Ray of its own."""
    address = os.environ.get("RAY_ADDRESS", "")
    return None if address in ("", "local") else address


def is_connected() -> bool:
    """Return whether this process has joined a Ray."""
    ray = sys.modules.get("ray")
    return ray is not None and ray.is_initialized()


def join(address: str) -> None:
    """Join a cluster, so that the workers get the modules and variables of this process.

    Args:
        address: host:port of the cluster's head, or auto.

    Raises:
        RequestError: There is no cluster at this address, or this process cannot be part of it.
    """
    import_ray()
    import ray

    _check(address)
    runtime_env = runtime_env_of_workers(job_runtime_env(os.environ))
    variables = ", ".join(sorted(runtime_env["env_vars"])) or "none"  # names only: a value may be a token
    _LOG.info("Joining the Ray cluster at %s. Variables of this process for its workers: %s", address, variables)

    def connect() -> None:
        ray.init(address=address, namespace=_NAMESPACE, runtime_env=runtime_env, logging_level=logging.WARNING)

    try:
        with (
            held_back(),
            drop_native_stderr(),
            variables_set(
                {"RAY_OVERRIDE_JOB_RUNTIME_ENV": "1"}
            ),  # otherwise Ray refuses a variable that the job has, too
            no_warning_about_signals(),
            in_background(connect) as wait_until_connected,  # in the main thread Ray would handle SIGTERM itself
        ):
            wait_until_connected()
    except Exception as error:
        reason = in_one_line(f"{type(error).__name__}: {error}")
        raise RequestError(
            f"The Ray cluster at {address} cannot be joined ({reason}). It must run the same Ray and Python as this; "
            "this machine must be one of its nodes (from elsewhere: tune-jobs submit); where it wants a token, "
            "RAY_AUTH_MODE=token and the token must be set here as there."
        ) from error


def leave() -> None:
    """Leave a cluster that ``join`` has joined; one that the process had joined before is left alone."""
    import ray

    if ray.is_initialized() and ray.get_runtime_context().namespace == _NAMESPACE:
        ray.shutdown()


def runtime_env_of_workers(inherited: Mapping[str, Any]) -> dict[str, Any]:
    """Return what all workers get, on whichever node they are.

    Args:
        inherited: The runtime environment that the workers of this process's job get already.
    """
    working_dir = str(Path.cwd()) if "working_dir" in inherited else None  # Ray has the driver start in its copy
    modules = [*inherited.get("py_modules", []), *modules_to_send(own_folders(), working_dir)]
    # An empty list makes Ray fail (ray 2.60: runtime_env/py_modules.py).
    return {"env_vars": forwarded(os.environ), **({"py_modules": modules} if modules else {})}


def _check(address: str) -> None:
    """Refuse an address at which Ray would wait for a minute, or that Ray would read in another way."""
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
