"""Files of the idx format, in which MNIST was published: they hold arrays of unsigned bytes."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from trainables.data import InvalidData

_UNSIGNED_BYTES = b"\x00\x00\x08"


def read(path: Path, dimensions: int) -> np.ndarray:
    """Return the array in a compressed idx file.

    The file holds 0, 0, 8 (unsigned bytes), the number of dimensions, big-endian sizes, and the values.

    Args:
        path: The .gz file.
        dimensions: The number of dimensions that the array must have.

    Returns:
        An array of uint8 of the file's shape.

    Raises:
        InvalidData: The file cannot be read, is of another kind, or does not have the length that it states.
    """
    content = _uncompressed(path)
    header_bytes = 4 + 4 * dimensions
    magic = _UNSIGNED_BYTES + bytes([dimensions])
    if content[:4] != magic:
        raise _invalid(path, f"begins with {content[:4].hex()}", f"with {magic.hex()}, as idx files of this kind do")
    shape = tuple(map(int, np.frombuffer(content[4:header_bytes].ljust(header_bytes - 4, b"\x00"), ">u4")))
    expected_bytes, actual_bytes = header_bytes + math.prod(shape), len(content)
    if actual_bytes != expected_bytes:
        raise _invalid(path, f"has {actual_bytes} bytes, uncompressed", f"{expected_bytes} for an array of {shape}")
    return np.frombuffer(content, np.uint8, offset=header_bytes).reshape(shape)


def _uncompressed(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise _invalid(path, f"cannot be read ({error})", "a .gz file") from error


def _invalid(path: Path, state: str, rule: str) -> InvalidData:
    return InvalidData([f"{path} {state}, but must be {rule}: copy the original again."])
