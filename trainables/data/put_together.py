"""Rows of arrays that are put together anew, in a temporary file where they are large.

A part of the data, two splits one after the other, or an array in another order: each is a copy. In memory, a copy of
large data would double what a process takes. So large ones are written to a temporary file, piece by piece, and mapped.
The system can take such pages back at any time, and Ray's object store reads them as they are.
"""

from __future__ import annotations

import logging
import mmap
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainables.data.nested import Arrays, is_sparse, leaves, map_leaves

_LOG = logging.getLogger(__name__)

IN_A_FILE_BYTES = 32 * 2**20  # below, a file costs more than it is worth
_PIECE_BYTES = 8 * 2**20
ALIGNMENT_BYTES = 64  # TensorFlow shares no memory with an array that is not aligned


@dataclass(frozen=True)
class Rows:
    """Rows of one or more arrays, one after the other.

    Attributes:
        arrays: Arrays of shape (examples, …), equal but for the examples.
        indices: The rows of each array to take, in order; None: all of them.
    """

    arrays: tuple[np.ndarray, ...]
    indices: tuple[np.ndarray | None, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result."""
        return sum(map(len, self._chosen())), *self.arrays[0].shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the result, in the machine's byte order."""
        kind = np.result_type(*(array.dtype for array in self.arrays))
        return kind if kind.isnative else kind.newbyteorder("=")

    @property
    def nbytes(self) -> int:
        """The bytes of the result."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def in_memory(self) -> np.ndarray:
        """Return the result as an array in memory, in C's order."""
        chosen = [a if i is None else a[i] for a, i in zip(self.arrays, self.indices, strict=True)]
        whole = chosen[0] if len(chosen) == 1 else np.concatenate(chosen)
        return np.ascontiguousarray(whole, self.dtype)

    def pieces(self) -> Iterator[np.ndarray]:
        """Yield the result in pieces of some MiB, each in C's order."""
        rows = max(1, _PIECE_BYTES // max(1, self.nbytes // max(1, self.shape[0])))
        for array, chosen in zip(self.arrays, self._chosen(), strict=True):
            for begin in range(0, len(chosen), rows):
                indices = chosen[begin : begin + rows]
                piece = slice(indices.start, indices.stop) if isinstance(indices, range) else indices
                yield np.ascontiguousarray(array[piece], self.dtype)

    def _chosen(self) -> list[range | np.ndarray]:
        return [range(len(a)) if i is None else i for a, i in zip(self.arrays, self.indices, strict=True)]


def take(arrays: Arrays, indices: np.ndarray) -> Any:
    """Return the examples of a nested structure at some indices."""
    return _each(lambda array: Rows((array,), (indices,)), lambda matrix: matrix[indices], arrays)


def one_after_the_other(first: Arrays, second: Arrays) -> Any:
    """Return the examples of two structures that are nested alike, those of the second one last."""
    return _each(lambda *arrays: Rows(arrays, (None, None)), _below_each_other, first, second)


def in_order(arrays: Arrays, alignment: int = 1) -> Any:
    """Return a nested structure whose arrays are in C's order and the machine's byte order.

    Arrays that are so stay what they are. The others (a transposed view, every second row) are put together.

    Args:
        arrays: The structure.
        alignment: The number that must divide the addresses of large arrays.
    """

    def is_in_order(array: np.ndarray) -> bool:
        if is_sparse(array):
            return True
        return bool(array.flags.c_contiguous and array.dtype.isnative) and array.ctypes.data % alignment == 0

    others = [each for each in leaves(arrays) if not is_in_order(each)]
    made = iter(_each(lambda array: Rows((array,), (None,)), lambda matrix: matrix, others))
    return map_leaves(lambda array: array if is_in_order(array) else next(made), arrays)


def _below_each_other(*matrices: Any) -> Any:
    from scipy.sparse import vstack

    return vstack(matrices, "csr")


def _each(rows_of: Callable[..., Rows], of_sparse: Callable[..., Any], *structures: Arrays) -> Any:
    """Return a nested structure of the arrays that are put together; one that occurs twice is put together once.

    Args:
        rows_of: Returns the rows to put together of an array of each structure.
        of_sparse: Returns the result for sparse matrices of SciPy, which are never written to a file.
        structures: The structures.
    """
    wanted: dict[tuple[int, ...], Rows] = {}
    made: dict[tuple[int, ...], Any] = {}

    def look(*arrays: Any) -> None:
        key = tuple(map(id, arrays))
        if all(map(is_sparse, arrays)):
            made.setdefault(key, of_sparse(*arrays))
        else:
            wanted.setdefault(key, rows_of(*arrays))

    map_leaves(look, *structures)
    made.update(zip(wanted, _put_together(list(wanted.values())), strict=True))
    return map_leaves(lambda *arrays: made[tuple(map(id, arrays))], *structures)


def _put_together(wanted: Sequence[Rows]) -> list[np.ndarray]:
    offsets, end = [], 0
    for rows in wanted:
        offsets.append(end)
        end += -(-rows.nbytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
    if end < max(1, IN_A_FILE_BYTES) or any(rows.dtype.hasobject for rows in wanted):
        return [rows.in_memory() for rows in wanted]
    try:
        memory = _mapped_file(wanted, offsets, end)
    except OSError as error:  # no folder for temporary files, or a full one
        _LOG.info("%d MiB of data stay in memory, because there is no room for a file: %s", end // 2**20, error)
        return [rows.in_memory() for rows in wanted]
    return [np.ndarray(rows.shape, rows.dtype, memory, offset) for rows, offset in zip(wanted, offsets, strict=True)]


def _mapped_file(wanted: Sequence[Rows], offsets: Sequence[int], size: int) -> mmap.mmap:
    """Return a temporary file with the arrays at some offsets. It has no name, and is gone with the last array.

    The arrays may be written to: what is written stays in memory, and the file does not change.
    """
    with tempfile.TemporaryFile(prefix="tune-jobs-") as file:
        for rows, offset in zip(wanted, offsets, strict=True):
            file.seek(offset)
            for piece in rows.pieces():
                piece.tofile(file)
        file.truncate(size)
        file.flush()
        return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY)
