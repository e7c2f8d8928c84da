"""Where a run's trials keep their checkpoints: a folder that every node sees, or an object store."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from pathlib import Path

from trainables.storage import checkpoint
from trainables.storage import object_store_checkpoint as remote_checkpoint
from trainables.storage.checkpoint import CheckpointError, Snapshot
from trainables.storage.object_store import ObjectStoreFolder, is_uri, reason
from trainables.storage.retry import retry_for_a_minute


def require(folder: str | None, sleep: Callable[[float], object] = time.sleep) -> None:
    """Returns when the folder of all trials is there, if there has to be one; it is given a minute to come back.

    A worker on a node that does not see it must not train for nothing.

    Raises:
        FileNotFoundError: It is not.
        OSError: The object store cannot be reached.
    """

    def look() -> None:
        if folder is not None and is_uri(folder):
            _reach(ObjectStoreFolder(folder))
        elif folder is not None and not Path(folder).is_dir():
            raise FileNotFoundError(
                f"The node {platform.node()} does not see the run's folder {folder}: mount the storage there as on the "
                "other nodes, or take the node out of the cluster."
            )

    retry_for_a_minute(look, sleep)


def _reach(folder: ObjectStoreFolder) -> None:
    try:
        folder.folders()
    except OSError as error:
        raise OSError(
            f"The node {platform.node()} cannot read {folder} ({reason(error)}): give it the credentials that the "
            "other nodes have, or take it out of the cluster."
        ) from error


def trial_folder(folder: str | None, trial: int) -> Path | ObjectStoreFolder | None:
    """A trial's folder in that of all trials."""
    if folder is None:
        return None
    if is_uri(folder):
        return checkpoint.trial_folder(ObjectStoreFolder(folder), trial)
    return checkpoint.trial_folder(Path(folder), trial)


def save(folder: Path | ObjectStoreFolder, snapshot: Snapshot) -> None:
    """Adds a checkpoint to a trial's folder: see ``checkpoint.save``."""
    epoch = snapshot.state["epoch"]
    if isinstance(folder, ObjectStoreFolder):
        remote_checkpoint.save(folder, epoch, snapshot)
    else:
        checkpoint.save(folder, epoch, snapshot)


def save_architecture(folder: Path | ObjectStoreFolder, text: str) -> None:
    """Writes a trial's architecture, once."""
    if isinstance(folder, ObjectStoreFolder):
        remote_checkpoint.save_architecture(folder, text)
    else:
        checkpoint.save_architecture(folder, text)


def newest(folder: Path | ObjectStoreFolder, skipped: Callable[[CheckpointError], object]) -> Snapshot | None:
    """The newest checkpoint of a trial's folder that can be read: see ``checkpoint.newest``."""
    if isinstance(folder, ObjectStoreFolder):
        return remote_checkpoint.newest(folder, skipped)
    return checkpoint.newest(folder, skipped)
