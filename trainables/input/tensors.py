"""Arrays as TensorFlow tensors over the same memory, and data sets that read tensors where they are."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from trainables.data import put_together

_ALIGNMENT_BYTES = put_together.ALIGNMENT_BYTES
_SHARED_KINDS = "biufc"


def as_tensor(array: np.ndarray) -> Any:
    """Return an array as a TensorFlow tensor, without a copy wherever that is possible.

    The arrays of a run lie in Ray's object store, one copy per machine, read-only. TensorFlow takes foreign memory
    through DLPack, which does not know read-only arrays. So it gets a writable view of them, and never writes to it.

    Args:
        array: An array of any shape and type.

    Returns:
        A ``tf.Tensor`` on the CPU. It shares the memory of a contiguous, aligned array of native numbers. Other numbers
        are copied, into a file if they are many (see ``put_together``), and text always into memory.
    """
    import tensorflow as tf

    if array.nbytes >= put_together.IN_A_FILE_BYTES and array.dtype.kind in _SHARED_KINDS:
        array = put_together.in_order(array, alignment=_ALIGNMENT_BYTES)
    with tf.device("CPU"):
        if _is_shareable(array):
            return tf.experimental.dlpack.from_dlpack(_writable_view(array).__dlpack__())
        return tf.convert_to_tensor(array)


def read_as_written(dataset: Any) -> Any:
    """Return a data set that TensorFlow neither rewrites nor adjusts while it is read.

    It is for data sets that only slice and gather, and say how far ahead they read: there is nothing to gain. To
    rewrite one, TensorFlow copies the tensors that its functions capture: all of the data, in memory of this process.
    And the thread that adjusts it lets whoever drops an iterator wait for 2 to 8 ms (tensorflow 2.21): Keras drops two
    an epoch.

    Args:
        dataset: A ``tf.data.Dataset``.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    options.autotune.enabled = False
    return dataset.with_options(options)


def _is_shareable(array: np.ndarray) -> bool:
    # TensorFlow aborts the process at the first use of a tensor that is not aligned; arrays from the object store
    # are aligned. DLPack knows native numbers only.
    return (
        bool(array.flags.c_contiguous)
        and array.nbytes > 0
        and array.dtype.isnative
        and array.dtype.kind in _SHARED_KINDS
        and array.ctypes.data % _ALIGNMENT_BYTES == 0
    )


def _writable_view(array: np.ndarray) -> np.ndarray:
    if array.flags.writeable:
        return array
    memory = (ctypes.c_char * array.nbytes).from_address(array.ctypes.data)
    memory.owner = array  # type: ignore[attr-defined]  # the view must not outlive the memory that it shows
    return np.ndarray(array.shape, array.dtype, memoryview(memory))
