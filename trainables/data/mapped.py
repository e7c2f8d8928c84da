"""Arrays that are mapped from files: workers get the file's path, and map it themselves."""

from __future__ import annotations

import mmap
import platform
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainables.data.nested import Arrays, is_sparse, map_leaves
from trainables.data.put_together import ALIGNMENT_BYTES, in_order
from trainables.data.splits import Data

_SHARED_MODES = ("r", "r+", "w+")  # what is written with the mode "c" is not in the file


class UnreadableFile(ValueError):  # noqa: N818 - it tells of the data, not of a failure
    """A file of the data that this node cannot read, or has otherwise than the driver."""


@dataclass(frozen=True)
class MappedArray:
    """An array on its way to the workers: where it lies in a file.

    Attributes:
        path: The file.
        file_bytes: The size of the file, by which another file of that name is noticed.
        dtype: The type of the array.
        offset: The array's first byte in the file.
        shape: The array's shape.
    """

    path: str
    file_bytes: int
    dtype: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]

    def open(self) -> np.ndarray:
        """Return the array, mapped in this process, to be read only.

        Raises:
            UnreadableFile: This node has no such file.
        """
        try:
            there_bytes = Path(self.path).stat().st_size
            if there_bytes == self.file_bytes:
                return np.memmap(self.path, self.dtype, "r", self.offset, self.shape).view(np.ndarray)
            problem = f"it has {there_bytes:,} bytes there, and {self.file_bytes:,} where the driver is"
        except OSError as error:
            problem = error.strerror or str(error)
        raise UnreadableFile(
            f"The node {platform.node()} cannot map the data from {self.path}: {problem}. Put the file where every "
            "node sees it under this path, or let load_data read it into memory (np.load without mmap_mode)."
        )


def for_workers(data: Data) -> Data:
    """Return the data as it is sent to the workers, without the test split.

    Mapped arrays are sent as a ``MappedArray``. All others are put in order: an array that is not in C's order would
    be pickled, and each worker would have its own copies of it.
    """
    sent = copy(data)  # checked already, and a mapped array does not look like one
    for name, split in {"train": data.train, "validation": data.validation, "test": None}.items():
        object.__setattr__(sent, name, _sent(split) if isinstance(split, tuple) else split)
    return sent


def opened(data: Data) -> Data:
    """Return the data that ``for_workers`` returned with its mapped arrays.

    Raises:
        UnreadableFile: This node has no such file.
    """
    result = copy(data)
    for name in ("train", "validation"):
        split = getattr(data, name)
        if isinstance(split, tuple):
            object.__setattr__(result, name, map_leaves(_opened, split))
    return result


def _opened(leaf: Any) -> Any:
    return leaf.open() if isinstance(leaf, MappedArray) else leaf


def _sent(split: Arrays) -> Arrays:
    placed = map_leaves(lambda array: mapped_array(array) or array, split)
    others = [leaf for leaf in _flat(placed) if not isinstance(leaf, MappedArray)]
    ordered = iter(in_order(others))
    return map_leaves(lambda leaf: leaf if isinstance(leaf, MappedArray) else _plain(next(ordered)), placed)


def _flat(arrays: Arrays) -> list[Any]:
    flat: list[Any] = []
    map_leaves(flat.append, arrays)
    return flat


def _plain(array: np.ndarray) -> np.ndarray:
    return array.view(np.ndarray) if isinstance(array, np.memmap) else array  # a memmap is copied when it is pickled


def mapped_array(array: np.ndarray) -> MappedArray | None:
    """Return where an array lies in a file; None if it does not, or not as TensorFlow can read it there.

    A view of a mapped array, such as a slice, lies in the file as well. TensorFlow shares the memory of an array in C's
    order whose address is a multiple of 64: those of ``np.save`` are.
    """
    if is_sparse(array):
        return None
    owner: Any = array
    while owner is not None and not (isinstance(owner, np.memmap) and isinstance(owner.base, mmap.mmap)):
        owner = getattr(owner, "base", None)
    is_aligned = array.ctypes.data % ALIGNMENT_BYTES == 0 and array.flags.c_contiguous and array.dtype.isnative
    if owner is None or not is_aligned or owner.mode not in _SHARED_MODES or owner.filename is None:
        return None
    offset = owner.offset + array.ctypes.data - owner.ctypes.data
    path = Path(owner.filename)
    try:
        size = path.stat().st_size
    except OSError:
        return None  # it was removed after it was mapped
    if offset + array.nbytes > size or array.nbytes == 0:
        return None
    return MappedArray(str(path), size, array.dtype, offset, array.shape)
