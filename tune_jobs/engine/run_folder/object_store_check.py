"""Whether a run can be kept in the storage that is asked for, and where the driver works on it."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from trainables.storage.object_store import ObjectStoreFolder, is_uri, reason, uri_problems
from tune_jobs.engine.run_folder.create import folder_problems, name_problems
from tune_jobs.engine.run_folder.lock import locked
from tune_jobs.results import object_store_runs


def own_folder_problems(storage: str | Path, name: str | None) -> list[str]:
    """Why a run of this name (None: some name) cannot be kept in a storage: a folder, or the URI of an object store.

    Of a folder nothing is written; into an object store an empty object, which is deleted again: nothing else tells
    whether the bucket is there and the credentials may write.
    """
    if not is_uri(storage):
        return folder_problems(Path(storage), name)
    uri = str(storage)
    problems = [*uri_problems(uri), *(name_problems(name) if name is not None else [])]
    if problems:
        return problems
    remote = ObjectStoreFolder(uri)
    try:
        _try(remote)
        there = remote.folders() if name is not None else []
    except OSError as error:
        return [
            f"The value of `storage` is '{remote}', but it cannot be written ({reason(error)}): it must name a bucket "
            "that is there, and the credentials, which are looked for in the environment as the cloud's own tools do, "
            "must allow to write and to delete."
        ]
    if name is not None and (name in there or f"{name}-1" in there):
        return [f"The run {name!r}, or repeats of it, exist already in {remote}. Choose another --name."]
    return folder_problems(object_store_runs.local_storage(uri, "run"), None)


def _try(remote: ObjectStoreFolder) -> None:
    probe = f".probe-{secrets.token_hex(4)}"
    remote.write(probe, b"")
    remote.remove(probe)


def home_of(storage: str | Path, name: str) -> tuple[Path, ObjectStoreFolder | None]:
    """The folder of this machine that is to hold a new run, and where the run lies in an object store, if it does.

    Raises:
        RequestError: Another process works on a run of that name, which the object store does not have yet.
    """
    if not is_uri(storage):
        return Path(storage), None
    home = object_store_runs.local_storage(str(storage), "run")
    if (home / name).exists():  # the copy of one that was deleted from the object store
        with locked(home / name):
            shutil.rmtree(home / name)
    return home, ObjectStoreFolder(str(storage), name)
