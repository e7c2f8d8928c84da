"""The file with the arrays of a checkpoint: a closed list of names, and sizes counted before anything is made."""

from __future__ import annotations

import math
import re
import zipfile
from pathlib import Path

import numpy as np

from trainables.storage.layout import ARRAYS_FILE

_ARRAY_NAME = re.compile(
    r"(executions/\d{1,6}/)?((model|optimizer|further|best|adjusted)/\d{1,9}|(callbacks|adapted)/[^\0]{1,500})"
)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file by name. Nothing is executed, and no array is made before its size is known.

    Args:
        path: The file.

    Raises:
        ValueError: The file holds something that no version writes, or says that it holds more than it does.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        # A few bytes can say that they unpack to terabytes, or stand for many members at once.
        packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
        if packed or sum(member.file_size for member in members) > path.stat().st_size:
            raise ValueError(f"{path.name} holds more than it has room for")
        return {member.filename.removesuffix(".npy"): _read_array(archive, member) for member in members}


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    name = member.filename.removesuffix(".npy")
    if not member.filename.endswith(".npy") or not _ARRAY_NAME.fullmatch(name):
        raise ValueError(f"{ARRAYS_FILE} holds {member.filename[:100]!r}, which no version writes")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        if dtype.hasobject or math.prod(shape) * dtype.itemsize != member.file_size - file.tell():
            raise ValueError(
                f"{ARRAYS_FILE} says of `{name}` that it has the shape {shape} of {dtype}, but it does not"
            )
        file.seek(0)
        array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
        return array
