"""Arrays whose memory lies as that of Ray's object store."""

from __future__ import annotations

import numpy as np


def aligned(values: np.ndarray, offset_bytes: int = 0) -> np.ndarray:
    """Return a copy whose memory begins ``offset_bytes`` behind a multiple of 64 bytes; the object store's has 0."""
    memory = np.zeros(values.nbytes + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset_bytes
    array = memory[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    array[...] = values
    return array


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a view that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view
