"""The checkpoints of a trial in an object store: the same files as on a disk, visible once the last one is there."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainables.storage import checkpoint
from trainables.storage.checkpoint import CheckpointError, Snapshot, first_usable, ignore, superseded
from trainables.storage.layout import (
    ARCHITECTURE_FILE,
    ARRAYS_FILE,
    STATE_FILE,
    checkpoint_name,
    checkpoints_of,
    epoch_of,
)
from trainables.storage.object_store import ObjectStoreFolder
from trainables.storage.retry import retry_for_a_minute


@dataclass(frozen=True)
class ObjectStoreCheckpoints:
    """The checkpoints of a trial in a folder of an object store: see ``store.CheckpointStore``.

    Every method raises OSError when the object store refuses, or cannot be reached.

    Attributes:
        folder: The trial's folder.
        sleep: Waits for so many seconds before a refused read is tried again.
        milestones: Epochs whose two newest checkpoints are kept, too: another trial may need them.
    """

    folder: ObjectStoreFolder
    sleep: Callable[[float], object] = time.sleep
    milestones: Sequence[int] = ()

    def __str__(self) -> str:
        return str(self.folder)

    def names(self) -> list[str]:
        """Return the names of the whole checkpoints, newest first."""
        return checkpoints_of(self.folder.files(), whole=True)

    def save(self, snapshot: Snapshot) -> str:
        """Add a checkpoint, and remove all but the two newest and the two newest milestones.

        The arrays are sent as they are written, without a copy on this node. The state comes last: a checkpoint
        without one was torn, and does not count.

        Args:
            snapshot: The state to write.

        Returns:
            The checkpoint's name within the folder.

        Raises:
            OSError: The object store refuses; the checkpoints of other epochs are left.
        """
        name = checkpoint_name(snapshot.epoch)
        self.folder.remove_folder(name)  # else the state of an earlier one would vouch for these arrays
        with self.folder.writing(f"{name}/{ARRAYS_FILE}") as file:
            np.savez(file, allow_pickle=False, **dict(snapshot.arrays))
        self.folder.write(f"{name}/{STATE_FILE}", checkpoint.state_text(snapshot).encode())
        files = self.folder.files()
        whole = checkpoints_of(files, whole=True)
        kept = {name, *whole} - set(superseded(whole, self.milestones))
        for old in sorted(set(checkpoints_of(files, whole=False)) - kept):
            self.folder.remove_folder(old)
        return name

    def save_architecture(self, text: str) -> None:
        """Write the trial's architecture, unless it is there already."""
        if self.folder.written_s(ARCHITECTURE_FILE) is None:
            self.folder.write(ARCHITECTURE_FILE, text.encode())

    def newest(
        self,
        skipped: Callable[[CheckpointError], object] = ignore,
        check: Callable[[Snapshot], object] = ignore,
    ) -> Snapshot | None:
        """Return the newest checkpoint that can be used, or None if there is none.

        Args:
            skipped: Is called with the reason for each newer checkpoint that cannot be used.
            check: Raises CheckpointError if a checkpoint that can be read must not be used.

        Raises:
            OSError: The object store could not be reached for a minute, so it is unknown whether there is a checkpoint.
        """
        return first_usable(retry_for_a_minute(self.names, self.sleep), self._read, skipped, check)

    def remove_after(self, epoch: int) -> None:
        """Remove the checkpoints of later epochs."""
        for name in self.names():
            if epoch_of(name) > epoch:
                self.folder.remove_folder(name)

    def remove(self) -> None:
        """Remove the checkpoints and the architecture: what is left of the trial is small."""
        for name in checkpoints_of(self.folder.files(), whole=False):
            self.folder.remove_folder(name)
        self.folder.remove(ARCHITECTURE_FILE)

    def _read(self, name: str) -> Snapshot:
        with tempfile.TemporaryDirectory(prefix="tune-jobs-") as scratch:
            try:
                for file in (STATE_FILE, ARRAYS_FILE):
                    self._fetch(f"{name}/{file}", Path(scratch, file))
                return checkpoint.read(Path(scratch))
            except CheckpointError as error:
                message = str(error).replace(scratch, str(self.folder / name))
                raise CheckpointError(message) from error

    def _fetch(self, file: str, path: Path) -> None:
        def attempt() -> None:
            try:
                self.folder.bring(file, path)
            except FileNotFoundError as error:
                # Not an OSError: a file that is gone does not come back within a minute.
                raise CheckpointError(f"The checkpoint {self.folder / file.rpartition('/')[0]} is gone.") from error

        retry_for_a_minute(attempt, self.sleep)
