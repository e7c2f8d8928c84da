"""A trial's state on disk: written whole or not at all, read without executing anything."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, TypeVar

import numpy as np

_STATE_FILE = "state.json"
_ARRAYS_FILE = "arrays.npz"
ARCHITECTURE_FILE = "model.json"
_NAME = re.compile(r"epoch-(\d{6,})")
_KEPT = 2


AnyPath = TypeVar("AnyPath", bound=PurePath)


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
    with (directory / _ARRAYS_FILE).open("wb") as file:
        np.savez(file, allow_pickle=False, **dict(snapshot.arrays))
    (directory / _STATE_FILE).write_text(json.dumps(snapshot.state), encoding="utf-8")


def read(directory: Path) -> Snapshot:
    """Reads a snapshot.

    Raises:
        CheckpointError: A file is missing or torn.
    """
    try:
        state = json.loads((directory / _STATE_FILE).read_text(encoding="utf-8"))
        with np.load(directory / _ARRAYS_FILE, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:  # a damaged archive makes zipfile, zlib and NumPy raise a dozen different ones
        raise CheckpointError(f"The checkpoint {directory} cannot be read: {error}.") from error
    if not isinstance(state, dict) or not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise CheckpointError(f"The checkpoint {directory} does not hold a trial's state.")
    return Snapshot(state, arrays)


def save(folder: Path, epoch: int, snapshot: Snapshot) -> str:
    """Adds a checkpoint to a trial's folder and removes all but the two newest.

    The files are written to a temporary directory that is then moved: a checkpoint that can be seen is whole.
    Two are kept, so that a reader always finds one while the next replaces it.

    Args:
        folder: The trial's folder; it is made when missing.
        epoch: Epochs that the trial was trained for.
        snapshot: What to write.

    Returns:
        The checkpoint's name within the folder.
    """
    name = f"epoch-{epoch:06d}"
    for abandoned in folder.glob(".epoch-*"):  # by a worker that died while it wrote
        shutil.rmtree(abandoned, ignore_errors=True)
    temporary = folder / f".{name}.{os.getpid()}"
    temporary.mkdir(parents=True)
    write(temporary, snapshot)
    shutil.rmtree(folder / name, ignore_errors=True)
    temporary.replace(folder / name)
    for old in names(folder)[_KEPT:]:
        shutil.rmtree(folder / old, ignore_errors=True)
    return name


def names(folder: Path) -> list[str]:
    """The checkpoints of a trial's folder, newest first."""
    if not folder.is_dir():
        return []
    found = [entry.name for entry in folder.iterdir() if _NAME.fullmatch(entry.name)]
    return sorted(found, key=lambda name: int(name.split("-")[1]), reverse=True)


def newest(folder: Path) -> Snapshot | None:
    """The newest checkpoint of a trial's folder that can be read; None if there is none."""
    for name in names(folder):
        try:
            return read(folder / name)
        except CheckpointError:
            continue
    return None


def trial_folder(folder: AnyPath, trial: int) -> AnyPath:
    """Where a trial keeps its checkpoints, below the folder of all trials."""
    return folder / f"{trial:04d}"


def save_architecture(folder: Path, model: Any) -> None:
    """Writes what ``keras.models.model_from_json`` needs, once a trial, if Keras can describe the model."""
    path = folder / ARCHITECTURE_FILE
    if path.exists():
        return
    try:
        text = model.to_json()
    except (NotImplementedError, TypeError, ValueError):
        return  # a subclassed model without get_config(): its trainable has to build it again
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
