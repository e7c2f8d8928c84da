"""A trial's state on disk: written whole or not at all, read without executing anything."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, Any, TypeVar

import numpy as np

from trainables.storage.object_store import ObjectStoreFolder

STATE_FILE = "state.json"
ARRAYS_FILE = "arrays.npz"
ARCHITECTURE_FILE = "model.json"
_NAME = re.compile(r"epoch-(\d{6,})")
KEPT = 2
_MOST_STATE_BYTES = 64 * 2**20

AnyPath = TypeVar("AnyPath", PurePath, Path, ObjectStoreFolder)


class CheckpointError(ValueError):
    """A checkpoint is missing, torn, or does not fit the model."""


@dataclass(frozen=True)
class Snapshot:
    """Everything that a trial needs to go on.

    Attributes:
        state: Plain JSON values: the epoch, the best epoch, what the last epoch reported, callbacks.
        arrays: Arrays by name: ``model/0000``, ``optimizer/0000``, ``best/0000``, ``callbacks/…``.
    """

    state: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]

    def group(self, name: str) -> list[np.ndarray]:
        """The arrays ``name/0000``, ``name/0001``, … in order."""
        keys = [key for key in self.arrays if key.startswith(f"{name}/")]
        return [self.arrays[key] for key in sorted(keys, key=lambda key: (len(key), key))]


def numbered(name: str, arrays: list[np.ndarray]) -> dict[str, np.ndarray]:
    """The inverse of ``Snapshot.group``."""
    return {f"{name}/{index:04d}": array for index, array in enumerate(arrays)}


def write(directory: Path, snapshot: Snapshot) -> None:
    """Writes a snapshot's files into an existing directory."""
    with (directory / ARRAYS_FILE).open("wb") as file:
        np.savez(file, allow_pickle=False, **dict(snapshot.arrays))
        _sync(file)
    with (directory / STATE_FILE).open("w", encoding="utf-8") as text:
        json.dump(snapshot.state, text)
        _sync(text)


def _sync(file: IO[Any]) -> None:
    # A storage that is full, or gone, may say so only here.
    file.flush()
    os.fsync(file.fileno())


def read(directory: Path) -> Snapshot:
    """Reads a snapshot. Nothing in it is executed, and it takes no more memory than it does on disk.

    Raises:
        CheckpointError: A file is missing or torn, or not one that ``write`` wrote.
    """
    try:
        if not all(stat.S_ISREG((directory / name).lstat().st_mode) for name in (STATE_FILE, ARRAYS_FILE)):
            raise ValueError("it holds links or devices in place of files")
        state = _read_state(directory / STATE_FILE)
        arrays = _read_arrays(directory / ARRAYS_FILE)
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
    return json.loads(text)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    # A few bytes can say that they unpack to terabytes, or stand for many members at once.
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > path.stat().st_size:
        raise ValueError(f"{path.name} holds more than it has room for")
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def save(folder: Path, epoch: int, snapshot: Snapshot) -> str:
    """Adds a checkpoint to a trial's folder and removes all but the two newest.

    The files are written to a temporary directory that is then moved: a checkpoint that can be seen is whole.
    Two are kept, so that a reader always finds one while the next replaces it.

    Args:
        folder: The trial's folder; it is made when missing, but not what it lies in: what is written below a mount
            that has gone away would be lost.
        epoch: Epochs that the trial was trained for.
        snapshot: What to write.

    Returns:
        The checkpoint's name within the folder.

    Raises:
        OSError: The disk is full, for example; the checkpoints that were there are left.
    """
    name = f"epoch-{epoch:06d}"
    for abandoned in folder.glob(".epoch-*"):  # by a worker that died while it wrote
        shutil.rmtree(abandoned, ignore_errors=True)
    temporary = folder / f".{name}.{os.getpid()}"
    folder.mkdir(exist_ok=True)
    temporary.mkdir()
    try:
        write(temporary, snapshot)
        shutil.rmtree(folder / name, ignore_errors=True)
        temporary.replace(folder / name)
    except Exception:
        shutil.rmtree(temporary, ignore_errors=True)  # on a full disk, half a checkpoint is in everybody's way
        raise
    for old in names(folder)[KEPT:]:
        shutil.rmtree(folder / old, ignore_errors=True)
    return name


def names(folder: Path) -> list[str]:
    """The checkpoints of a trial's folder, newest first; links are none, since they lead out of it."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    found = [entry.name for entry in folder.iterdir() if _NAME.fullmatch(entry.name) and not entry.is_symlink()]
    return sorted(found, key=lambda name: int(name.split("-")[1]), reverse=True)


def newest(folder: Path, skipped: Callable[[CheckpointError], object] = lambda _: None) -> Snapshot | None:
    """The newest checkpoint of a trial's folder that can be read; None if there is none.

    Args:
        folder: The trial's folder.
        skipped: Is told why a newer one cannot be read.
    """
    for name in names(folder):
        try:
            return read(folder / name)
        except CheckpointError as error:
            skipped(error)
    return None


def remove(folder: Path) -> None:
    """Removes a trial's checkpoints and its architecture: what is left of the trial is small."""
    if folder.is_symlink():
        return
    for name in names(folder):
        shutil.rmtree(folder / name, ignore_errors=True)
    with suppress(OSError):
        (folder / ARCHITECTURE_FILE).unlink(missing_ok=True)
        folder.rmdir()  # unless it holds something else


def trial_folder(folder: AnyPath, trial: int) -> AnyPath:
    """Where a trial keeps its checkpoints, below the folder of all trials."""
    return folder / f"{trial:04d}"


def architecture(model: Any) -> str | None:
    """What ``keras.models.model_from_json`` needs; None where Keras cannot describe the model."""
    try:
        text: str = model.to_json()
    except (NotImplementedError, TypeError, ValueError):
        return None  # a subclassed model without get_config(): its trainable has to build it again
    return text


def save_architecture(folder: Path, text: str) -> None:
    """Writes a trial's architecture, once."""
    path = folder / ARCHITECTURE_FILE
    if path.exists():
        return
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
