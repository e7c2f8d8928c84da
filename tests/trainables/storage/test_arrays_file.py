"""The arrays of a checkpoint: names that no version writes, and sizes that are not there, are refused in a sentence."""

from __future__ import annotations

import io
import pickle
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainables.storage.arrays_file import read_arrays


def member(array: np.ndarray, shape: tuple[int, ...] | None = None) -> bytes:
    """Return the bytes of an array, with a header that may say another shape."""
    buffer = io.BytesIO()
    header: dict[str, Any] = {"descr": array.dtype.str, "fortran_order": False, "shape": shape or array.shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + array.tobytes()


def archive(tmp_path: Path, **members: bytes) -> Path:
    path = tmp_path / "arrays.npz"
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name",
    ["model/0000", "best/0012", "optimizer/0001", "further/0000", "callbacks/0003", "adapted/0/tokens",
     "executions/2/model/0000", "executions/2/adapted/0/variable/mean"],
)  # fmt: skip
def test_every_name_that_is_written_is_read(tmp_path: Path, name: str) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(read_arrays(archive(tmp_path, **{f"{name}.npy": member(array)}))[name], array)


@pytest.mark.parametrize(
    "name",
    ["evil.npy", "../model/0000.npy", "/model/0000.npy", "model/0000", "model/x.npy", "model/0.pkl", "best/.npy"],
)
def test_a_name_that_no_version_writes_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"arrays\.npz holds '.*', which no version writes"):
        read_arrays(archive(tmp_path, **{name: member(np.zeros(3))}))


@pytest.mark.parametrize("shape", [(10**12,), (10**6, 10**6), (2**62, 4), (4,), (0,), (3, 0)])
def test_a_size_that_is_not_there_is_never_made(tmp_path: Path, shape: tuple[int, ...]) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match=r"says of `best/0000` that it has the shape .* of float64, but it does not"):
        read_arrays(archive(tmp_path, **{"best/0000.npy": member(np.zeros(3), shape)}))
    assert time.process_time() - began < 1


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    with pytest.raises(ValueError, match="of object, but it does not"):
        read_arrays(archive(tmp_path, **{"best/0000.npy": buffer.getvalue() + pickle.dumps([open])}))
