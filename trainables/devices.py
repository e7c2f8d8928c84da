"""Holds a worker to the share of the machine that Ray gave its trial, and keeps its memory bounded."""

from __future__ import annotations

import gc
import os
from functools import cache


@cache
def prepare(cpus: float, gpus: float | None) -> None:
    """Limits this process to its CPUs and GPUs, then imports the backend. Happens once per worker.

    Ray sets OMP_NUM_THREADS, which TensorFlow's own thread pools ignore (34 threads for a trial of 1 CPU),
    and leaves every GPU visible to a trial that asked for none.

    Args:
        cpus: CPUs of a trial; fractions below 1 get one thread.
        gpus: GPUs of a trial; 0 hides them all, None leaves them as they are.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if gpus == 0:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import keras

    if keras.backend.backend() == "tensorflow":
        _limit_tensorflow_threads(max(1, int(cpus)))
    # What the imports made lives as long as the worker: without freezing it, each collection between two
    # trials walks over all of it (0.5 to 4.5 s instead of 0.1).
    gc.collect()
    gc.freeze()


def release() -> None:
    """Frees what the last trial left in this worker: call it once nothing refers to its model any more.

    TensorFlow's registry of gradients keeps an entry ("CustomGradient-361") for every custom gradient that
    was ever traced, and each holds its whole graph alive: 6 to 9 MB a trial for a small dense network, with
    or without ``clear_session``.
    """
    import keras

    keras.backend.clear_session()
    if keras.backend.backend() == "tensorflow":
        _forget_traced_gradients()
    gc.collect()


def _limit_tensorflow_threads(threads: int) -> None:
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        # TensorFlow has computed something before (a process that is no worker of ours, such as a notebook):
        # its threads are as they are.
        return


def _forget_traced_gradients() -> None:
    from tensorflow.python.framework import ops

    registered = getattr(ops.gradient_registry, "_registry", {})
    for name in [name for name in registered if name.startswith("CustomGradient-")]:
        del registered[name]
