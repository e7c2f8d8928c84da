"""Holds a worker to the share of the machine that Ray gave its trial, and keeps its memory bounded."""

from __future__ import annotations

import gc
import os
from functools import cache

from trainables.devices import gpu_limits, gpu_memory, replicas
from trainables.devices.gpu_share import gpu_share, is_part
from trainables.internals.gradient_registry import forget_traced_gradients
from trainables.internals.lazy_keras import import_keras

_held_gpus: list[float] = []  # at most one: what this process is held to, for as long as it lives


def prepare(cpus: float, gpus: float | None) -> str | None:
    """Limits this process to its CPUs and GPUs, then imports the backend: once per worker, and before it is used.

    Ray sets OMP_NUM_THREADS, which TensorFlow's own thread pools ignore (34 threads for a trial of 1 CPU),
    leaves every GPU visible to a trial that asked for none, and lets one that asked for a part of a GPU take all of
    its memory.

    Args:
        cpus: CPUs of a trial; fractions below 1 get one thread.
        gpus: GPUs of a trial: of one that gets a part, the memory is limited; 0 hides them all; None leaves them as
            they are.

    Returns:
        What the trial's person should know of it, when it is done first; else None.

    Raises:
        InvalidTrainable: The process cannot be held to its GPUs.
    """
    if gpus is not None and _held_gpus and gpus != _held_gpus[0]:
        raise RuntimeError(f"This worker is held to {_held_gpus[0]:g} GPUs, and cannot train a trial with {gpus:g}.")
    is_first = not _limit.cache_info().currsize
    note = _limit(cpus, gpus)
    if gpus is not None and not _held_gpus:
        _held_gpus.append(gpus)
    return note if is_first else None


@cache
def _limit(cpus: float, gpus: float | None) -> str | None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    share = gpu_share(gpus, gpu_memory.total_bytes() if is_part(gpus) else None)
    gpu_limits.set_environment(share)
    backend = import_keras().backend.backend()
    if backend == "tensorflow":
        _limit_tensorflow_threads(max(1, int(cpus)))
    gpu_limits.limit(backend, share)
    # What the imports made lives as long as the worker: without freezing it, each collection between two
    # trials walks over all of it (0.5 to 4.5 s instead of 0.1).
    gc.collect()
    gc.freeze()
    if gpus and not gpu_limits.sees_gpu(backend):
        return f"{backend} sees no GPU on this machine, so the trials train on the CPU, without any limit to enforce."
    return replicas.note(backend, gpus)


def release() -> None:
    """Frees what the last trial left in this worker: call it once nothing refers to its model any more.

    TensorFlow's registry of gradients keeps an entry ("CustomGradient-361") for every custom gradient that
    was ever traced, and each holds its whole graph alive: 6 to 9 MB a trial for a small dense network, with
    or without ``clear_session``.
    """
    import keras

    from trainables.internals.global_state import forget_names

    if keras.backend.backend() == "tensorflow":
        forget_names()
        forget_traced_gradients()
    else:
        keras.backend.clear_session(free_memory=False)
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
