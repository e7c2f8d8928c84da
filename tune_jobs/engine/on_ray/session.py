"""The Ray that a run uses: a cluster, or a Ray of its own with its own ports and folder, which ends with the run."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from trainables.tensorflow_log import QUIET_TENSORFLOW
from tune_jobs.base.named_files import read_file
from tune_jobs.engine.on_ray.cluster import cluster_address, is_connected, join, leave
from tune_jobs.engine.on_ray.folders import ray_folder
from tune_jobs.engine.on_ray.import_ray import import_ray
from tune_jobs.engine.on_ray.local import PRELOADED, local_ray, warm_ray, worker_source
from tune_jobs.engine.on_ray.nodes import joined_machine
from tune_jobs.engine.on_ray.warm.client import is_kept, leased, why_unsuited
from tune_jobs.host.capacity import Machine, this_machine
from tune_jobs.host.environment import own_folders, variables_set
from tune_jobs.host.signals import held_back
from tune_jobs.host.worker_source import drop_early

RAY_VARIABLES = {"RAY_USAGE_STATS_ENABLED": "0"}
_HISTORY = "RAY_task_events_report_interval_ms"

_TOKENS: list[str] = []
"""The token of this process: Ray remembers it for as long as the process lives, so all runs of one have the same."""


def available_machine() -> Machine:
    """Return the resources that trials may use: this machine, or the cluster that this process belongs to.

    This process belongs to a cluster if it has joined one, or joins the one of RAY_ADDRESS now.

    Raises:
        RequestError: That cluster cannot be joined.
    """
    address = cluster_address()
    if address and not is_connected():
        join(address)
    return joined_machine() if is_connected() else this_machine()


@contextmanager
def ray_session(
    machine: Machine, worker_variables: Mapping[str, str], tell: Callable[[str], object] = lambda _: None
) -> Iterator[Callable[[], Path]]:
    """Start Ray in the background, and end it afterwards. A Ray that others have started is left as it is.

    Args:
        machine: What ``available_machine`` returned.
        worker_variables: Variables for a Ray that is started: see ``local.variables_of_first_workers``.
        tell: Is given a sentence if there is a Ray that is kept warm.

    Yields:
        A function that waits until Ray has started, and returns a folder for the files that Ray writes in this process.
    """
    import_ray()
    with ray_folder() as folder, ExitStack() as stack:
        imports_keras = PRELOADED.items() <= worker_variables.items()
        lease = None
        if (reason := why_unsuited(machine, imports_keras=imports_keras)) is None:
            lease = stack.enter_context(leased(machine, _TOKENS, tell))
        elif is_kept():
            tell(f"The warm Ray is not used, because {reason}.")
        if lease is not None and not _TOKENS:
            _TOKENS.extend(lease.token)
        own: dict[str, str] = {}
        if not machine.is_cluster:
            own = own_ray_variables(os.environ, folder)
        variables = {**RAY_VARIABLES, **QUIET_TENSORFLOW, **own, "PYTHONPATH": _python_path()}
        stack.enter_context(variables_set(variables))
        if machine.is_cluster or lease is not None or not imports_keras:
            drop_early()
        if machine.is_cluster:
            ray = _joined_ray()
        elif lease is not None:
            ray = warm_ray(lease)
        else:
            source = stack.enter_context(worker_source(worker_variables)) if imports_keras else None
            ray = local_ray(machine, folder, worker_variables, source)
        wait_until_started = stack.enter_context(ray)
        yield partial(_started, wait_until_started, folder)


def own_ray_variables(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the variables for a Ray of our own.

    It has no dashboard that could show the history of calls, and Ray takes 0.25 s to hand that over at its end. So it
    keeps none, unless the person has set how often Ray is to do so.

    Args:
        environment: The variables of this process.
        folder: A folder for the files that Ray writes in this process.
    """
    history = {} if _HISTORY in environment else {_HISTORY: "0"}
    return {**history, **token_variables(environment), **home_variables(environment, folder)}


def token_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that give a Ray of our own a token, where the person has none.

    Otherwise Ray makes one and writes it into the home folder: from then on every Ray of the person asks for it. And
    where the home folder cannot be written, Ray does not start.

    Args:
        environment: The variables of this process.
    """
    is_wanted = environment.get("RAY_AUTH_MODE", "token").lower() == "token"
    has_one = any(environment.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    home = environment.get("HOME")
    with suppress(OSError):
        has_one = has_one or bool(home and read_file(Path(home, ".ray", "auth_token"), 64 * 2**10).strip())
    if not is_wanted or has_one:
        return {}
    if not _TOKENS:
        _TOKENS.append(secrets.token_hex(32))
    return {"RAY_AUTH_TOKEN": _TOKENS[0]}


def home_variables(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the variable that gives a process without a home folder one, as in a container with a user of no name.

    Args:
        environment: The variables of this process.
        folder: A folder that exists as long as Ray does.
    """
    if environment.get("HOME"):
        return {}
    try:
        return {"HOME": str(Path.home())}
    except RuntimeError:
        return {"HOME": str(folder)}


@contextmanager
def _joined_ray() -> Iterator[Callable[[], None]]:
    try:
        yield lambda: None
    finally:
        with held_back():
            leave()


def _started(wait_until_started: Callable[[], None], folder: Path) -> Path:
    with held_back():
        wait_until_started()
    return folder


def _python_path() -> str:
    """Return the folders that this process finds modules in: its workers unpickle what it imported.

    Ray itself passes on only the folder of the main script.
    """
    named = [folder for folder in own_folders() if os.pathsep not in folder]  # the others: see ``worker.unpack``
    return os.pathsep.join([*named, os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
