"""The memory of a GPU, and this process's use of it, as NVIDIA's library and the frameworks report them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from trainables.devices.gpu_share import CONTEXT_BYTES
from trainables.report import GpuMemory
from trainables.settings import InvalidTrainable

DRIVERS = (Path("/proc/driver/nvidia"), Path("/dev/nvidiactl"))
"""Files of NVIDIA's driver: if one exists, the machine has a GPU."""


def total_bytes() -> int | None:
    """Return the memory of the first GPU that this process sees, in bytes; None without a GPU.

    Raises:
        InvalidTrainable: There is a GPU, but the package that could say how large it is, is not installed.
    """
    with _first_gpu() as gpu:
        if gpu is None:
            return None
        nvml, handle = gpu
        return int(nvml.nvmlDeviceGetMemoryInfo(handle).total)


def used_bytes() -> int | None:
    """Return the memory that this process holds of its first GPU, in bytes, with CUDA's own part; None if unknown.

    Within a container, NVIDIA's library may know the container's processes by other numbers.
    """
    with _first_gpu() as gpu:
        if gpu is None:
            return None
        nvml, handle = gpu
        with suppress(nvml.NVMLError):
            for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle):
                if process.pid == os.getpid() and process.usedGpuMemory is not None:
                    return int(process.usedGpuMemory)
    return None


def peak_bytes(backend: str) -> int | None:
    """Return the most that a framework has allocated of its first GPU so far.

    The number of NVIDIA's library, if it has one, is an upper bound.

    Args:
        backend: "tensorflow", "jax" or "torch".

    Returns:
        Bytes without CUDA's own part, as ``gpu_share.usable_bytes`` counts; None if the framework sees no GPU.
    """
    allocated = {"tensorflow": _tensorflow_peak, "jax": _jax_peak, "torch": _torch_peak}[backend]()
    held_bytes = used_bytes() if allocated is not None else None
    if allocated is None or held_bytes is None:
        return allocated
    return min(allocated, max(held_bytes - CONTEXT_BYTES, 0)) or allocated


def measured() -> GpuMemory | None:
    """Return what a trial reports of its GPU's memory; None without a GPU."""
    import keras

    peak, total = peak_bytes(keras.backend.backend()), total_bytes()
    return None if peak is None or total is None else GpuMemory(peak_bytes=peak, total_bytes=total)


def first_visible(visible: str | None) -> str | None:
    """Return the first GPU that CUDA_VISIBLE_DEVICES names, by index or identity; None if it hides all GPUs."""
    if visible is None:
        return "0"
    first = visible.split(",")[0].strip()
    return None if first in ("", "-1", "NoDevFiles") else first


@contextmanager
def _first_gpu() -> Iterator[tuple[Any, Any] | None]:
    name = first_visible(os.environ.get("CUDA_VISIBLE_DEVICES"))
    try:
        pynvml: Any = import_module("pynvml")  # of nvidia-ml-py
    except ImportError:
        if name is not None and any(driver.exists() for driver in DRIVERS):
            raise InvalidTrainable(
                "A part of a GPU is asked for, but how large it is cannot be found out: "
                "install nvidia-ml-py (pip install 'tune-jobs[gpu]'), or ask for whole GPUs."
            ) from None
        name = None
    if name is None:
        yield None
        return
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # no driver: a machine without GPUs
        yield None
        return
    try:
        yield pynvml, _handle(pynvml, name)
    finally:
        pynvml.nvmlShutdown()


def _handle(nvml: Any, name: str) -> Any:
    """Return the GPU of an index or identity; CUDA accepts the beginning of an identity for the whole."""
    if name.isdecimal():
        return nvml.nvmlDeviceGetHandleByIndex(int(name))
    for index in range(nvml.nvmlDeviceGetCount()):
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        if _text(nvml.nvmlDeviceGetUUID(handle)).startswith(name):
            return handle
    return nvml.nvmlDeviceGetHandleByUUID(name)  # a part of one (MIG), which is no device of the list


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _tensorflow_peak() -> int | None:
    import tensorflow as tf

    if not tf.config.list_logical_devices("GPU"):
        return None
    return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])


def _jax_peak() -> int | None:
    jax: Any = import_module("jax")
    statistics = jax.local_devices()[0].memory_stats()
    return None if statistics is None else int(statistics["peak_bytes_in_use"])  # a CPU has none


def _torch_peak() -> int | None:
    torch: Any = import_module("torch")
    return int(torch.cuda.max_memory_allocated()) if torch.cuda.is_available() else None
