"""The limits that hold Keras's framework to its share of the GPUs: the effects of what ``gpu_share`` decides."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from trainables.devices.gpu_share import GpuShare
from trainables.settings import InvalidTrainable


def limit(backend: str, share: GpuShare) -> None:
    """Hold a framework that has been imported, and not yet used, to its share.

    Args:
        backend: "tensorflow", "jax" or "torch".
        share: The share.

    Raises:
        InvalidTrainable: The framework has used a GPU already, so it cannot be limited any more.
    """
    {"tensorflow": _limit_tensorflow, "jax": _check_jax, "torch": _limit_torch}[backend](share)


def sees_gpu(backend: str) -> bool:
    """Return whether a framework has a GPU to compute on; without one it trains on the CPU."""
    if backend == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    if backend == "jax":
        jax: Any = import_module("jax")
        return bool(jax.default_backend() == "gpu")
    torch: Any = import_module("torch")
    return bool(torch.cuda.is_available())


def _limit_tensorflow(share: GpuShare) -> None:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    try:
        if share.hides_gpus:
            if gpus:  # found by the module of the experiment, before they were hidden
                tf.config.set_visible_devices([], "GPU")
        elif share.limit_bytes is not None and gpus:
            megabytes = share.limit_bytes // 2**20
            limited = [tf.config.LogicalDeviceConfiguration(memory_limit=megabytes)]
            tf.config.set_logical_device_configuration(gpus[0], limited)
        elif share.grows:
            for gpu in gpus:
                tf.config.experimental.set_memory_growth(gpu, True)
    except (RuntimeError, ValueError) as error:
        raise _too_late(error) from error


def _limit_torch(share: GpuShare) -> None:
    torch: Any = import_module("torch")
    if share.hides_gpus and torch.cuda.is_initialized():
        raise _too_late("PyTorch has started CUDA")
    if share.fraction is not None and torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(share.fraction)


def _check_jax(share: GpuShare) -> None:
    """Check what JAX made of its environment: JAX takes its limits from nowhere else."""
    if share.limit_bytes is None and not share.hides_gpus:
        return
    jax: Any = import_module("jax")
    device: Any = jax.local_devices()[0]
    if share.hides_gpus and device.platform != "cpu":
        raise _too_late(f"JAX computes on {device}")
    limit_bytes = (device.memory_stats() or {}).get("bytes_limit", 0)
    if share.limit_bytes is not None and limit_bytes > 1.01 * share.limit_bytes:
        raise _too_late(f"JAX may use {limit_bytes} bytes")


def _too_late(reason: object) -> InvalidTrainable:
    return InvalidTrainable(
        f"The trial cannot be held to its share of the GPUs ({reason}): something used them before the trial began. "
        "Does the module of the experiment compute something, or set up GPUs itself, when it is imported? "
        "Do that in build_model, or not at all."
    )
