"""A trial's share of the GPUs in bytes, and the settings that it means for each framework: pure decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trainables.settings import InvalidTrainable

CONTEXT_BYTES = 768 * 2**20
"""Memory that CUDA itself takes in each process: context, kernels, the handles of cuDNN and cuBLAS.

No framework counts it in its limit. If it were not set aside, the last of the trials that share a GPU would find less
than its share.
"""

MARGIN = 1.25
"""The factor by which a measured peak is multiplied.

An allocator in a small pool loses some of it between its blocks (a tenth is common), and other configurations than
those that were measured are larger.
"""

_LEAST_BYTES = 128 * 2**20
_WHOLE = 0.95  # the part of its own GPU that a trial may use; by default JAX leaves a quarter unused


@dataclass(frozen=True)
class GpuShare:
    """The settings for a trial's share of the GPUs, for whichever framework Keras runs on.

    Attributes:
        environment: Environment variables to set before the framework starts; one with None is removed.
        limit_bytes: Memory of the one GPU that the framework may allocate; None: all.
        total_bytes: Memory of that GPU; None where nothing is limited.
        hides_gpus: Whether the framework must see no GPU.
        grows: Whether the framework takes memory as it needs it, and not at its start.
    """

    environment: Mapping[str, str | None] = field(default_factory=dict)
    limit_bytes: int | None = None
    total_bytes: int | None = None
    hides_gpus: bool = False
    grows: bool = False

    @property
    def fraction(self) -> float | None:
        """The limit as a part of the GPU, for the frameworks that take a part; None: all."""
        if self.limit_bytes is None or self.total_bytes is None:
            return None
        return self.limit_bytes / self.total_bytes


def is_part(gpus: float | None) -> bool:
    """Return whether a trial gets a part of one GPU, whose memory has to be limited."""
    return gpus is not None and 0 < gpus < 1


def share_for(gpus: float | None, total_bytes: int | None) -> GpuShare:
    """Return the settings for a number of GPUs.

    Args:
        gpus: GPUs of a trial: 0 hides all GPUs, None leaves them as they are.
        total_bytes: Memory of the GPU; None if there is no GPU, or if the trial gets no part of one.

    Raises:
        InvalidTrainable: The share is so small that nothing would be left beside what CUDA takes.
    """
    if gpus is None:
        return GpuShare()
    if gpus == 0:
        return GpuShare({"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}, hides_gpus=True)
    if not is_part(gpus):
        whole = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", **_jax_fraction(_WHOLE)}
        return GpuShare(whole, grows=True)
    if total_bytes is None:  # Ray was told of GPUs that do not exist, as tests do
        return GpuShare()
    limit_bytes = usable_bytes(total_bytes, gpus)
    if limit_bytes < _LEAST_BYTES:
        least = (CONTEXT_BYTES + _LEAST_BYTES) / total_bytes
        raise InvalidTrainable(
            f"The value of `gpus` is {gpus:g}, which is {gpus * total_bytes / 2**20:.0f} MiB of a GPU with "
            f"{total_bytes / 2**20:.0f} MiB, but CUDA alone takes {CONTEXT_BYTES / 2**20:.0f} MiB: "
            f"give each trial {least:.2g} or more."
        )
    return GpuShare(_jax_fraction(limit_bytes / total_bytes), limit_bytes, total_bytes)


def usable_bytes(total_bytes: int, gpus: float) -> int:
    """Return how much memory a framework may allocate of a part of a GPU."""
    return int(total_bytes * gpus) - CONTEXT_BYTES


def trials_per_gpu(peak_bytes: int, total_bytes: int, most: int) -> int:
    """Return how many equal trials fit on one GPU, with a margin; at least 1.

    Args:
        peak_bytes: Memory that a trial allocates at its peak.
        total_bytes: Memory of the GPU.
        most: The largest number to return.
    """
    needed_bytes = peak_bytes * MARGIN
    return max((n for n in range(1, most + 1) if usable_bytes(total_bytes, 1 / n) >= needed_bytes), default=1)


def _jax_fraction(fraction: float) -> dict[str, str | None]:
    # JAX refuses to start when both names are set.
    return {"XLA_PYTHON_CLIENT_MEM_FRACTION": f"{fraction:.4f}", "XLA_CLIENT_MEM_FRACTION": None}
