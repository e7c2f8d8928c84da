"""A Ray of the run's own on this machine, with its own ports and folder, gone when the run is."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tune_jobs.engine.machine import Machine, this_machine

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
}

_PREFIX, _LOCK = "tune-jobs-", "lock"
# As Ray does: the sockets within may have 107 characters at most, and a TMPDIR is often too long for that.
_SHORT_FOLDER = "/tmp"  # noqa: S108 - mkdtemp makes a folder of our own in it


def available() -> Machine:
    """What trials may use: this machine, or the cluster of the Ray that this process has joined."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return this_machine()
    resources = ray.cluster_resources()
    return Machine(resources.get("CPU", 0), resources.get("GPU", 0))


@contextmanager
def local_ray(machine: Machine) -> Iterator[Path]:
    """Starts Ray, and ends it afterwards.

    A Ray that this process has joined already is used and left alone.

    Yields:
        A folder for what Ray writes.
    """
    import ray

    place = Path(os.environ.get("RAY_TMPDIR") or _SHORT_FOLDER)
    _remove_abandoned(place)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
    joined = ray.is_initialized()
    try:
        with _held(folder / _LOCK), _environment({**_ENVIRONMENT, "PYTHONPATH": _python_path()}):
            if not joined:
                ray.init(
                    address="local",
                    num_cpus=int(machine.cpus),
                    num_gpus=int(machine.gpus),
                    include_dashboard=False,
                    logging_level=logging.WARNING,
                    _temp_dir=str(folder),
                )
            yield folder
    finally:
        if not joined:
            ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


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
    places = sysconfig.get_paths()
    standard = tuple(Path(places[kind]) for kind in ("stdlib", "platstdlib", "purelib", "platlib"))
    own = [
        path
        for path in sys.path
        if Path(path).is_dir() and not any(Path(path).is_relative_to(place) for place in standard)
    ]
    return os.pathsep.join([*map(os.path.abspath, own), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
