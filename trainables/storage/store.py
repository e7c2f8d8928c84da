"""The store of a run's checkpoints: a folder that every node sees, or an object store."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from trainables.storage.checkpoint import CheckpointError, DiskCheckpoints, Snapshot, ignore
from trainables.storage.layout import trial_name
from trainables.storage.object_store import ObjectStoreFolder, is_uri, reason
from trainables.storage.object_store_checkpoints import ObjectStoreCheckpoints
from trainables.storage.retry import retry_for_a_minute


class CheckpointStore(Protocol):
    """The checkpoints of one trial. Its text is the trial's folder, without credentials."""

    def names(self) -> list[str]:
        """Return the names of the checkpoints, newest first."""

    def save(self, snapshot: Snapshot) -> str:
        """Add a checkpoint, remove all but the two newest and the two newest milestones, and return its name."""

    def save_architecture(self, text: str) -> None:
        """Write the trial's architecture, unless it is there already."""

    def newest(
        self,
        skipped: Callable[[CheckpointError], object] = ignore,
        check: Callable[[Snapshot], object] = ignore,
    ) -> Snapshot | None:
        """Return the newest checkpoint that can be read and passes ``check``.

        ``skipped`` is called with the reasons for newer ones.
        """

    def remove_after(self, epoch: int) -> None:
        """Remove the checkpoints of later epochs."""

    def remove(self) -> None:
        """Remove the checkpoints and the architecture."""


def checkpoint_store(trials: str, trial: int, milestones: Sequence[int] = ()) -> CheckpointStore:
    """Return the checkpoints of a trial.

    Args:
        trials: The location of the folder of all trials: a path, or the URI of a folder in an object store.
        trial: The number of the trial.
        milestones: Epochs whose two newest checkpoints are kept, too: another trial may need them.
    """
    if is_uri(trials):
        return ObjectStoreCheckpoints(ObjectStoreFolder(trials) / trial_name(trial), milestones=milestones)
    return DiskCheckpoints(Path(trials, trial_name(trial)), milestones)


def require(trials: str | None, sleep: Callable[[float], object] = time.sleep) -> None:
    """Wait for up to a minute until the folder of all trials can be reached, if there must be one.

    A worker on a node that does not see it must not train for nothing.

    Args:
        trials: The location of the folder of all trials: a path, a URI, or None.
        sleep: Waits for a number of seconds before the next attempt.

    Raises:
        FileNotFoundError: The folder does not exist on this node.
        OSError: The object store cannot be reached.
    """
    if trials is not None:
        retry_for_a_minute(lambda: _look(trials), sleep)


def _look(trials: str) -> None:
    node = platform.node()
    if not is_uri(trials):
        if not Path(trials).is_dir():
            raise FileNotFoundError(
                f"The node {node} does not see the run's folder {trials}: mount the storage there as on the other "
                "nodes, or take the node out of the cluster."
            )
        return
    folder = ObjectStoreFolder(trials)
    try:
        folder.folders()
    except OSError as error:
        raise OSError(
            f"The node {node} cannot read {folder} ({reason(error)}): give it the credentials that the other nodes "
            "have, or take it out of the cluster."
        ) from error
