"""The limits of a worker's process, set before its first trial, and the clean-up after each trial."""

from __future__ import annotations

import gc
import os
import sys
from functools import cache

from trainables.devices import gpu_limits, gpu_memory, primitive_cache, replicas
from trainables.devices.gpu_share import GpuShare, is_part, share_for
from trainables.devices.jax_programs import keep_compiled_programs
from trainables.internals.gradient_registry import forget_traced_gradients
from trainables.internals.jax_pooling import speed_up_pooling
from trainables.internals.lazy_keras import import_keras
from trainables.tensorflow_log import quiet_tensorflow

held_gpus: list[float] = []
"""The GPUs that this process is held to for as long as it lives: one number, or nothing before the first trial."""


def prepare(cpus: float, gpus: float | None) -> str | None:
    """Limit this process to its CPUs and GPUs, then import the backend.

    It is done once per worker, before anything uses the backend. Ray alone is not enough. It sets OMP_NUM_THREADS,
    which TensorFlow's own thread pools ignore (34 threads for a trial of 1 CPU). It leaves every GPU visible to a trial
    that asked for none. And it lets a trial that asked for a part of a GPU take all of its memory.

    Args:
        cpus: CPUs of a trial; fractions below 1 get one thread.
        gpus: GPUs of a trial. With a part of one, its memory is limited. 0 hides all GPUs, and None leaves them as
            they are.

    Returns:
        A note for the person who runs the trial, at the first call; else None.

    Raises:
        InvalidTrainable: The process cannot be held to its GPUs.
        RuntimeError: The process is held to another number of GPUs already.
    """
    if gpus is not None and held_gpus and gpus != held_gpus[0]:
        raise RuntimeError(f"This worker is held to {held_gpus[0]:g} GPUs, and cannot train a trial with {gpus:g}.")
    is_first = _limit.cache_info().currsize == 0
    note = _limit(cpus, gpus)
    if gpus is not None and not held_gpus:
        held_gpus.append(gpus)
    return note if is_first else None


@cache
def _limit(cpus: float, gpus: float | None) -> str | None:
    quiet_tensorflow()
    share = GpuShare() if gpus is None else share_for(gpus, gpu_memory.total_bytes() if is_part(gpus) else None)
    set_environment(share)
    if gpus is not None:  # a worker of a run, and no process of the user's
        for name, value in primitive_cache.ENVIRONMENT.items():
            os.environ.setdefault(name, value)
    backend = import_keras().backend.backend()
    if backend == "tensorflow":
        _limit_tensorflow_threads(max(1, int(cpus)))
    if gpus is not None:
        if backend == "jax":
            keep_compiled_programs()
            speed_up_pooling()
        gpu_limits.limit(backend, share)
    # The objects that the imports made live as long as the worker. Without freezing them, each collection between two
    # trials walks over all of them (0.5 to 4.5 s instead of 0.1).
    gc.collect()
    gc.freeze()
    if not gpus:
        return None
    if not gpu_limits.sees_gpu(backend):
        return f"{backend} sees no GPU on this machine, so the trials train on the CPU, without any limit to enforce."
    return replicas.multi_gpu_note(backend, gpus)


def set_environment(share: GpuShare) -> None:
    """Set the environment that a framework reads when it starts: call it before Keras is imported.

    Args:
        share: The process's share of the GPUs.
    """
    # CUDA puts the fastest GPU first; Ray and NVIDIA's library put the GPU in the first slot first.
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    for name, value in share.environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    if share.hides_gpus and (jax := sys.modules.get("jax")) is not None:
        jax.config.update("jax_platforms", "cpu")  # JAX read its variable when it was imported


def _limit_tensorflow_threads(threads: int) -> None:
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        # TensorFlow has computed something before, in a process that is no worker of ours, such as a notebook: its
        # threads stay as they are.
        return


def release() -> None:
    """Free what the last trial left in this worker: call it once nothing refers to its model any more.

    TensorFlow's registry of gradients keeps an entry ("CustomGradient-361") for every custom gradient that was ever
    traced, and each entry keeps its whole graph alive: 6 to 9 MB a trial for a small dense network, with or without
    ``clear_session``.
    """
    import keras

    from trainables.internals.global_state import forget_names

    if keras.backend.backend() == "tensorflow":
        forget_names()
        forget_traced_gradients()
        primitive_cache.primitive_cache.keep_small()
    else:
        keras.backend.clear_session(free_memory=False)
    gc.collect()
