"""The state of a trial as files: written whole or not at all, read without executing anything."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from trainables.storage.arrays_file import read_arrays
from trainables.storage.file_format import FORMAT, VERSION, NewerFormatError, check_format, stamp
from trainables.storage.layout import (
    ARCHITECTURE_FILE,
    ARRAYS_FILE,
    CHECKPOINT_PREFIX,
    STATE_FILE,
    checkpoint_name,
    epoch_of,
    newest_first,
)
from trainables.storage.own_files import MARK_FILE, remove_own, write_own
from trainables.storage.whole_folders import remove_abandoned, whole_folder

CHECKPOINTS_KEPT = 2
"""Number of checkpoints that a trial keeps: a reader always finds a whole one while the next replaces the other."""

CHECKPOINT_FORMAT = 1
_FILES = (ARRAYS_FILE, STATE_FILE)  # the state last: without it there is no checkpoint
_MOST_STATE_BYTES = 64 * 2**20


class CheckpointError(ValueError):
    """A checkpoint is missing, torn, or does not fit the model."""


@dataclass(frozen=True)
class Snapshot:
    """The state of a trial: everything that another process needs to go on.

    Attributes:
        state: Plain JSON values: the epoch, the best epoch, what the last epoch reported, callbacks.
        arrays: Arrays by name: ``model/0000``, ``optimizer/0000``, ``best/0000``, ``adapted/…``,
            ``callbacks/…``.
    """

    state: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]

    @property
    def epoch(self) -> int:
        """The number of epochs that the trial was trained for."""
        return int(self.state["epoch"])

    def group(self, name: str) -> list[np.ndarray]:
        """Return the arrays ``name/0000``, ``name/0001``, … in order."""
        keys = [key for key in self.arrays if key.startswith(f"{name}/")]
        return [self.arrays[key] for key in sorted(keys, key=lambda key: (len(key), key))]


def numbered(name: str, arrays: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Return arrays by the names ``name/0000``, ``name/0001``, …: the inverse of ``Snapshot.group``."""
    return {f"{name}/{index:04d}": array for index, array in enumerate(arrays)}


def write(directory: Path, snapshot: Snapshot) -> None:
    """Write the files of a snapshot into an existing directory.

    Args:
        directory: The directory of the checkpoint.
        snapshot: The state to write.

    Raises:
        OSError: The disk refuses, for example because it is full.
    """
    with (directory / ARRAYS_FILE).open("wb") as file:
        np.savez(file, allow_pickle=False, **dict(snapshot.arrays))
        _sync(file)
    with (directory / STATE_FILE).open("w", encoding="utf-8") as text:
        text.write(state_text(snapshot))
        _sync(text)


def state_text(snapshot: Snapshot) -> str:
    """Return the content of the file with a snapshot's state."""
    return json.dumps({**stamp(CHECKPOINT_FORMAT), **snapshot.state})


def _sync(file: IO[Any]) -> None:
    # A storage that is full, or gone, may report it only here.
    file.flush()
    os.fsync(file.fileno())


def read(directory: Path) -> Snapshot:
    """Read a snapshot. Nothing in it is executed, and it takes no more memory than it does on disk.

    Args:
        directory: The directory of the checkpoint.

    Raises:
        CheckpointError: A file is missing or torn, or not one that ``write`` wrote.
        NewerFormatError: A newer version wrote it.
    """
    try:
        if not all(stat.S_ISREG((directory / name).lstat().st_mode) for name in (STATE_FILE, ARRAYS_FILE)):
            raise ValueError("it holds links or devices in place of files")
        state = _read_state(directory / STATE_FILE)
        arrays = read_arrays(directory / ARRAYS_FILE)
    except NewerFormatError as error:
        raise NewerFormatError(f"The checkpoint {directory} cannot be read. {error}") from error
    except Exception as error:  # a damaged archive makes zipfile, zlib and NumPy raise a dozen different ones
        raise CheckpointError(f"The checkpoint {directory} cannot be read: {error}.") from error
    if not isinstance(state, dict) or not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise CheckpointError(f"The checkpoint {directory} does not hold a trial's state.")
    return Snapshot(state, arrays)


def _read_state(path: Path) -> Any:
    with path.open("rb") as file:
        text = file.read(_MOST_STATE_BYTES + 1)
    if len(text) > _MOST_STATE_BYTES:
        raise ValueError(f"{path.name} is larger than {_MOST_STATE_BYTES} bytes")
    state = json.loads(text)
    if isinstance(state, dict):
        check_format(state, CHECKPOINT_FORMAT)
        return {name: value for name, value in state.items() if name not in (FORMAT, VERSION)}
    return state


def first_usable(
    names: Iterable[str],
    read_one: Callable[[str], Snapshot],
    skipped: Callable[[CheckpointError], object],
    check: Callable[[Snapshot], object],
) -> Snapshot | None:
    """Return the first of some checkpoints that can be read and passes a check, or None.

    Args:
        names: The names of the checkpoints, newest first.
        read_one: Reads a checkpoint, or raises CheckpointError.
        skipped: Is called with the reason for each checkpoint that cannot be used.
        check: Raises CheckpointError if a checkpoint must not be used.
    """
    for name in names:
        try:
            snapshot = read_one(name)
            check(snapshot)
        except CheckpointError as error:
            skipped(error)
        else:
            return snapshot
    return None


def superseded(names: Sequence[str], milestones: Sequence[int]) -> list[str]:
    """Return the checkpoints that a trial needs no longer.

    Args:
        names: The names of its checkpoints, newest first.
        milestones: Epochs whose two newest checkpoints are needed.
    """
    # Who takes over weights of a milestone may start late, when their owner has come to the next one.
    needed = [name for name in names if epoch_of(name) in milestones][:CHECKPOINTS_KEPT]
    return [name for name in names[CHECKPOINTS_KEPT:] if name not in needed]


def ignore(_: object) -> None:
    """Do nothing: accept a checkpoint that can be read, pass over one that cannot be."""


@dataclass(frozen=True)
class DiskCheckpoints:
    """The checkpoints of a trial in a folder of a file system: see ``store.CheckpointStore``.

    Attributes:
        folder: The trial's folder.
        milestones: Epochs whose two newest checkpoints are kept, too: another trial may need them.
    """

    folder: Path
    milestones: Sequence[int] = ()

    def __str__(self) -> str:
        return str(self.folder)

    def names(self) -> list[str]:
        """Return the names of the checkpoints, newest first. Links are left out, since they lead out of the folder."""
        if self.folder.is_symlink() or not self.folder.is_dir():
            return []
        return newest_first(entry.name for entry in self.folder.iterdir() if not entry.is_symlink())

    def save(self, snapshot: Snapshot) -> str:
        """Add a checkpoint, and remove all but the two newest and the two newest milestones.

        The files are written to a temporary directory that is then moved: a checkpoint that can be seen is whole.
        The trial's folder is made when it is missing, but not the folder that it lies in: what is written below a
        mount that has gone away would be lost.

        Args:
            snapshot: The state to write.

        Returns:
            The checkpoint's name within the folder.

        Raises:
            OSError: The disk refuses, for example because it is full; the checkpoints that were there are left.
        """
        name = checkpoint_name(snapshot.epoch)
        remove_abandoned(self.folder, CHECKPOINT_PREFIX, _FILES)
        with whole_folder(self.folder / name, _FILES) as unfinished:
            write(unfinished, snapshot)
        for old in superseded(self.names(), self.milestones):
            self._remove_checkpoint(old)
        return name

    def _remove_checkpoint(self, name: str) -> None:
        """Remove the files of a checkpoint. Whatever else lies in its folder stays, and the folder with it."""
        remove_own(self.folder / name, (*_FILES, MARK_FILE))

    def save_architecture(self, text: str) -> None:
        """Write the trial's architecture, unless it is there already."""
        path = self.folder / ARCHITECTURE_FILE
        if not path.exists():
            write_own(path, text.encode())

    def newest(
        self,
        skipped: Callable[[CheckpointError], object] = ignore,
        check: Callable[[Snapshot], object] = ignore,
    ) -> Snapshot | None:
        """Return the newest checkpoint that can be used, or None if there is none.

        Args:
            skipped: Is called with the reason for each newer checkpoint that cannot be used.
            check: Raises CheckpointError if a checkpoint that can be read must not be used.
        """
        return first_usable(self.names(), lambda name: read(self.folder / name), skipped, check)

    def check_formats(self) -> None:
        """Do nothing if no checkpoint is of a newer format. A damaged one counts as none.

        Raises:
            NewerFormatError: This version cannot read a checkpoint, so it must not go on without it.
        """
        for name in self.names():
            try:
                _read_state(self.folder / name / STATE_FILE)
            except NewerFormatError as error:
                raise NewerFormatError(f"The checkpoint {self.folder / name} cannot be read. {error}") from error
            except (OSError, ValueError, RecursionError):
                continue

    def remove_after(self, epoch: int) -> None:
        """Remove the checkpoints of later epochs."""
        for name in self.names():
            if epoch_of(name) > epoch:
                self._remove_checkpoint(name)

    def remove(self) -> None:
        """Remove the checkpoints and the architecture: the files that are left of the trial are small."""
        if self.folder.is_symlink():
            return
        for name in self.names():
            self._remove_checkpoint(name)
        remove_abandoned(self.folder, CHECKPOINT_PREFIX, _FILES)
        remove_own(self.folder, [ARCHITECTURE_FILE])
