"""The folder in which a driver works on a run: locked, and mirrored if the run lies in an object store."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainables.storage.object_store import ObjectStoreFolder, is_uri
from trainables.storage.own_files import open_own, place_problem, second_name_problem
from tune_jobs.engine.run_folder.create import folder_problems
from tune_jobs.engine.run_folder.names import IfExists
from tune_jobs.engine.run_folder.object_store_check import object_store_problems
from tune_jobs.engine.run_folder.object_store_mirror import Mirror, discard_remote, mirrored
from tune_jobs.engine.run_folder.removal import remove_run
from tune_jobs.errors import RequestError
from tune_jobs.results.layout import (
    EVALUATIONS_FOLDER,
    EXPERIMENT_FILE,
    JOURNAL_FILE,
    LEASE_TOKEN_FILE,
    LOCK_FILE,
    LOGS_FOLDER,
    RAY_LOG,
    TRIALS_FOLDER,
    WARM_START_FILE,
)
from tune_jobs.results.object_store_runs import local_storage
from tune_jobs.results.run import Run

_FOLDERS = (TRIALS_FOLDER, LOGS_FOLDER, EVALUATIONS_FOLDER)
_FILES = (LOCK_FILE, EXPERIMENT_FILE, JOURNAL_FILE, WARM_START_FILE, LEASE_TOKEN_FILE, RAY_LOG)
_APPENDED = (JOURNAL_FILE, RAY_LOG)
_REMEDIES = dict.fromkeys(
    (EXPERIMENT_FILE, JOURNAL_FILE, WARM_START_FILE, TRIALS_FOLDER), ", and put the run's own into its place"
)


@dataclass(frozen=True)
class WorkingFolder:
    """The folder of a run on the driver's machine, while the driver holds its lock.

    Attributes:
        path: The absolute path of the folder.
        mirror: The mirror that keeps the run in an object store up to date; None if the run lies in the folder.
    """

    path: Path
    mirror: Mirror | None = None

    @property
    def trials(self) -> str:
        """The folder of all trials as workers need it: a path, or a URI with its credentials."""
        return str(self.path / TRIALS_FOLDER) if self.mirror is None else self.mirror.trials

    @property
    def shared(self) -> str:
        """The location of the folder that every node must be able to read and write; a URI may hold credentials."""
        return str(self.path) if self.mirror is None else self.mirror.remote.uri


def storage_problems(storage: str | Path, name: str | None, if_exists: IfExists = "refuse") -> list[str]:
    """Return the reasons why a run cannot be created in a storage.

    Nothing is written to a folder. To an object store an empty object is written and deleted again: nothing else shows
    whether the bucket exists and the credentials allow writing.

    Args:
        storage: The folder of all runs, or the URI of one in an object store.
        name: The name of the run; None for a name that is free.
        if_exists: What happens to a run of that name.
    """
    if is_uri(storage):
        return object_store_problems(str(storage), name, if_exists)
    return folder_problems(Path(storage), name, if_exists)


def prepare_storage(storage: str | Path, name: str) -> tuple[Path, ObjectStoreFolder | None]:
    """Return the local folder for the runs of a storage, and the new run in the object store, if it is to lie in one.

    A copy of an earlier run of that name, which was deleted from the object store, is removed.

    Args:
        storage: The folder of all runs, or the URI of one in an object store.
        name: The name of the new run.

    Raises:
        RequestError: Another process works on a run of that name, which the object store does not have yet.
    """
    if not is_uri(storage):
        return Path(storage), None
    local = local_storage(str(storage), "run")
    if (local / name).exists():
        with locked(local / name):
            remove_run(local / name)
    return local, ObjectStoreFolder(str(storage), name)


def folder_to_work_in(run: Run) -> Path:
    """Return the folder in which a driver works on a run.

    It is the run's folder. For a run in an object store it is a copy of its own, which processes that only read never
    touch.
    """
    if run.remote is None:
        return run.folder.absolute()  # workers on other nodes have another current folder
    folder = local_storage(run.remote.root, "run") / run.name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def open_folder(folder: Path, remote: ObjectStoreFolder | None) -> Iterator[WorkingFolder]:
    """Lock a run's folder, and mirror it if the run lies in an object store.

    Args:
        folder: The folder on this machine. If the object store has more of the run, that is copied here first.
        remote: The run in the object store; None if it lies in the folder.

    Raises:
        RequestError: Another driver works on the run, or the object store cannot be read.
        JournalError: The journal in the object store is damaged.
        RunFailed: In the end, not everything could be sent to the object store; all of it is in the folder.
    """
    with locked(folder):
        if remote is None:
            yield WorkingFolder(folder)
        else:
            with mirrored(folder, remote) as mirror:
                yield WorkingFolder(folder, mirror)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a run's folder for this process. The kernel releases the lock when the process ends, however it ends.

    Raises:
        RequestError: Another process has the folder, or something in it is not the run's own.
    """
    if problems := foreign_problems(folder):
        raise RequestError(*problems)
    try:
        descriptor = open_own(folder / LOCK_FILE, os.O_RDWR)
    except OSError as error:
        raise RequestError(
            f"The run's lock {folder / LOCK_FILE} cannot be opened ({error.strerror}): only who may write into the "
            "run's folder can work on the run."
        ) from error
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RequestError(
                f"Another process is working on the run {folder.name}: wait until it has ended, or end it."
            ) from error
        yield


def foreign_problems(folder: Path) -> list[str]:
    """Return a sentence for each link, folder or device in the place of a file of the run, or of one of its folders.

    They are left alone: nothing is ever written through a link. So are second names (hard links) of files to append to.

    Args:
        folder: The run's folder.
    """
    places = {name: place_problem(folder / name, is_folder=name in _FOLDERS) for name in (*_FILES, *_FOLDERS)}
    places |= {name: places[name] or second_name_problem(folder / name) for name in _APPENDED}
    return [
        f"{folder / name} must be a {'folder' if name in _FOLDERS else 'file'} of the run itself, but {problem}. Move "
        f"it away{_REMEDIES.get(name, '')}."
        for name, problem in places.items()
        if problem is not None
    ]


def discard(folder: Path, remote: ObjectStoreFolder | None) -> None:
    """Delete a run on which no process works.

    Args:
        folder: The folder on this machine.
        remote: The run in the object store; None if it lies in the folder.
    """
    remove_run(folder)
    if remote is not None:
        discard_remote(remote)
