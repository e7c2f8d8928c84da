"""The Ray that a run uses: one of its own, with its own ports and folder and gone when the run is, or a cluster."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from tune_jobs.engine.on_ray import local as local_ray
from tune_jobs.engine.on_ray.cluster import cluster_address, is_connected, join, leave
from tune_jobs.engine.on_ray.nodes import joined_machine
from tune_jobs.host.capacity import Machine, this_machine
from tune_jobs.host.environment import variables_set
from tune_jobs.host.shipping import own_folders
from tune_jobs.host.signals import held_back

_ENVIRONMENT = {
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # trials read relative paths as the driver does
    "RAY_USAGE_STATS_ENABLED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # they write three files a trial that nothing reads: the journal has it
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    # What an epoch in progress may hold up the end of a run: whoever takes a machine away gives it half a minute.
    "TUNE_FORCE_TRIAL_CLEANUP_S": "22",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # Ray's snapshots rewrite the state of all trials, for nobody
    "TUNE_WARN_THRESHOLD_S": "10",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # the coordinator says what is missing
    "TUNE_MAX_PENDING_TRIALS_PG": "1000000",  # the searcher keeps to what there is room for
}

_PREFIX, _LOCK = "tune-jobs-", "lock"
# As Ray does: the sockets within may have 107 characters at most, and a TMPDIR is often too long for that.
_SHORT_FOLDER = "/tmp"  # noqa: S108 - mkdtemp makes a folder of our own in it


def available() -> Machine:
    """What trials may use: this machine, or the cluster that this process has joined or, by RAY_ADDRESS, joins now.

    Raises:
        RequestError: That cluster cannot be joined.
    """
    address = cluster_address()
    if address and not is_connected():
        join(address)
    return joined_machine() if is_connected() else this_machine()


@contextmanager
def ray_session(machine: Machine, system_config: dict[str, Any]) -> Iterator[Callable[[], Path]]:
    """Begins to start Ray, and ends it afterwards.

    A cluster that this process has joined is used, and left as it is.

    Args:
        machine: What is ``available``.
        system_config: What a Ray that is started is told: see ``local_ray.workers_at_start``.

    Yields:
        Waits until Ray is there; returns a folder for what this process writes of Ray's.
    """
    place = Path(os.environ.get("RAY_TMPDIR") or _SHORT_FOLDER)
    _remove_abandoned(place)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))

    ray = _joined() if machine.is_cluster else local_ray.running(machine, folder, system_config)
    try:
        with _held(folder / _LOCK), variables_set({**_ENVIRONMENT, "PYTHONPATH": _python_path()}), ray as is_there:
            yield partial(_waited, is_there, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _joined() -> Iterator[Callable[[], None]]:
    try:
        yield lambda: None
    finally:
        with held_back():
            leave()


def _waited(is_there: Callable[[], None], folder: Path) -> Path:
    with held_back():
        is_there()
    return folder


@contextmanager
def _held(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove_abandoned(place: Path) -> None:
    """Removes what drivers left that were killed: the kernel has let go of the locks in their folders."""
    for lock in place.glob(f"{_PREFIX}*/{_LOCK}"):
        with suppress(OSError), lock.open("r+") as file:  # another user's, or held
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)


def _python_path() -> str:
    """Where this process finds modules: its workers, which unpickle what it imported, must find them too.

    Ray itself passes on only the folder of the main script.
    """
    return os.pathsep.join([*own_folders(), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
