"""The memory that inputs take beside the arrays: none that grows with the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainables.fit_options import FitOptions
from trainables.input.pipeline import batches_in_order, training_input
from trainables.input.tensors import as_tensor

MIB = 2**20
SIZE = 96 * MIB


def own_bytes() -> int:
    """Return the anonymous memory of this process."""
    _, resident, shared, *_ = Path("/proc/self/statm").read_text().split()
    return (int(resident) - int(shared)) * 4096


def array(shift: int) -> np.ndarray:
    """Return an array whose address is a multiple of 64 and a shift."""
    memory = np.ones(SIZE // 4 + 32, np.float32)
    begin = (-memory.ctypes.data % 64 + shift) // 4
    return memory[begin : begin + SIZE // 4].reshape(-1, 256)


def augmented(x: np.ndarray, y: np.ndarray) -> Any:
    options = FitOptions(augment=lambda x, y, seed: (x, y))
    return training_input((x, y), 64, 0, options).for_epoch(0)


def in_order(x: np.ndarray, y: np.ndarray) -> Any:
    return batches_in_order((x, y), 64)


def a_tensor(x: np.ndarray, y: np.ndarray) -> Any:
    return [(as_tensor(x)[:64], as_tensor(y)[:64])]


@pytest.mark.parametrize("shift", [0, 16], ids=["aligned", "not aligned"])
@pytest.mark.parametrize("batches_of", [augmented, in_order, a_tensor])
def test_no_copy_of_the_data(batches_of: Any, shift: int) -> None:
    x = array(shift)
    y = np.zeros(len(x), np.int32)
    before, most, rows = own_bytes(), 0, 0
    for batch, _ in batches_of(x, y):
        most, rows = max(most, own_bytes() - before), rows + len(batch)
    assert rows in (len(x), 64)
    assert most < 40 * MIB


def test_bool_is_shared_like_a_number() -> None:
    values = np.zeros(SIZE, bool)[: SIZE - 64]
    before = own_bytes()
    tensor = as_tensor(values[-values.ctypes.data % 64 :])
    assert tensor.dtype.name == "bool"
    assert own_bytes() - before < 40 * MIB
