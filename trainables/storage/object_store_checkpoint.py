"""A trial's checkpoints in an object store: the same files as on a disk, seen once the last of them is there."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from trainables.storage import checkpoint
from trainables.storage.checkpoint import ARCHITECTURE_FILE, ARRAYS_FILE, KEPT, STATE_FILE, CheckpointError, Snapshot
from trainables.storage.object_store import ObjectStoreFolder
from trainables.storage.retry import retry_for_a_minute

_FILE = re.compile(r"(epoch-\d{6,})/.+")


def save(folder: ObjectStoreFolder, epoch: int, snapshot: Snapshot) -> str:
    """Adds a checkpoint to a trial's folder and removes all but the two newest.

    It goes there as it is written, without a copy on this node. The state comes last: a checkpoint without one was
    torn, and is none.

    Raises:
        OSError: The storage refuses; the checkpoints of other epochs are left.
    """
    name = f"epoch-{epoch:06d}"
    folder.remove_folder(name)  # else the state of an earlier one would vouch for these arrays
    with folder.writing(f"{name}/{ARRAYS_FILE}") as file:
        np.savez(file, allow_pickle=False, **dict(snapshot.arrays))
    folder.write(f"{name}/{STATE_FILE}", json.dumps(snapshot.state).encode())
    there = folder.files()
    kept = {name, *names(there)[:KEPT]}
    for old in sorted({found[1] for path in there if (found := _FILE.fullmatch(path))} - kept):
        folder.remove_folder(old)
    return name


def names(files: Iterable[str]) -> list[str]:
    """The whole checkpoints among the files of a trial's folder, newest first."""
    whole = {path.removesuffix(f"/{STATE_FILE}") for path in files if path.endswith(f"/{STATE_FILE}")}
    return sorted(whole, key=lambda name: int(name.split("-")[1]), reverse=True)


def newest(folder: ObjectStoreFolder, skipped: Callable[[CheckpointError], object] = lambda _: None) -> Snapshot | None:
    """The newest checkpoint of a trial's folder that can be read; None if there is none.

    Args:
        folder: The trial's folder.
        skipped: Is told why a newer one cannot be read.

    Raises:
        OSError: The storage could not be reached for a minute. That there is no checkpoint is not known then.
    """
    for name in names(path for path in retry_for_a_minute(folder.files) if _FILE.fullmatch(path)):
        try:
            return _read(folder, name)
        except CheckpointError as error:
            skipped(error)
    return None


def _read(folder: ObjectStoreFolder, name: str) -> Snapshot:
    with tempfile.TemporaryDirectory(prefix="tune-jobs-") as scratch:
        try:
            for file in (STATE_FILE, ARRAYS_FILE):
                retry_for_a_minute(lambda file=file: _bring(folder, f"{name}/{file}", Path(scratch, file)))  # type: ignore[misc]
            return checkpoint.read(Path(scratch))
        except CheckpointError as error:
            told = str(error).replace(scratch, str(folder / name))
            raise CheckpointError(told) from error


def _bring(folder: ObjectStoreFolder, name: str, path: Path) -> None:
    try:
        folder.bring(name, path)
    except FileNotFoundError as error:
        raise CheckpointError(f"The checkpoint {folder / name} is gone.") from error


def remove(folder: ObjectStoreFolder) -> None:
    """Removes a trial's checkpoints and its architecture: what is left of the trial is small."""
    there = folder.files()
    for name in sorted({found[1] for path in there if (found := _FILE.fullmatch(path))}):
        folder.remove_folder(name)
    folder.remove(ARCHITECTURE_FILE)


def save_architecture(folder: ObjectStoreFolder, text: str) -> None:
    """Writes a trial's architecture, once."""
    if folder.written_s(ARCHITECTURE_FILE) is None:
        folder.write(ARCHITECTURE_FILE, text.encode())
