"""The check that a run can be kept in an object store."""

from __future__ import annotations

import secrets

from trainables.storage.object_store import ObjectStoreFolder, reason, uri_problems
from tune_jobs.engine.run_folder.create import folder_problems, name_problems
from tune_jobs.engine.run_folder.names import IfExists, existing_problem
from tune_jobs.results.object_store_runs import local_storage


def object_store_problems(uri: str, name: str | None, if_exists: IfExists = "refuse") -> list[str]:
    """Return the reasons why a run cannot be created in an object store.

    An empty object is written and deleted again: nothing else shows whether the bucket exists and the credentials
    allow writing.

    Args:
        uri: The URI of the folder of all runs.
        name: The name of the run; None for a name that is free.
        if_exists: What happens to a run of that name.
    """
    problems = [*uri_problems(uri), *(name_problems(name) if name is not None else [])]
    if problems:
        return problems
    storage = ObjectStoreFolder(uri)
    try:
        _write_and_delete(storage)
        names = storage.folders() if name is not None else []
    except OSError as error:
        return [
            f"The value of `storage` is '{storage}', but it cannot be written ({reason(error)}): it must name a bucket "
            "that exists, and the credentials, which are taken from the environment as by the cloud's own tools, must "
            "allow writing and deleting."
        ]
    if name is not None and if_exists != "new" and f"{name}-1" in names:
        return [f"The run {name!r}, or repeats of it, exist already in {storage}. Choose another --name."]
    if name in names and if_exists == "refuse":
        return [existing_problem(str(name), storage)]
    if name in names and if_exists == "overwrite":
        return [
            f"The run {name!r} exists already in {storage}, and is not replaced in an object store. Choose another "
            "--name, or delete it there first."
        ]
    return folder_problems(local_storage(uri, "run"), None)


def _write_and_delete(storage: ObjectStoreFolder) -> None:
    probe = f".probe-{secrets.token_hex(4)}"
    storage.write(probe, b"")
    storage.remove(probe)
