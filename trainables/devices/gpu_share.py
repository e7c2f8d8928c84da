"""What a trial's share of the GPUs means in bytes, and what each framework is asked for: pure decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trainables.settings import InvalidTrainable

CONTEXT_BYTES = 768 * 2**20
"""What CUDA itself takes in each process (context, kernels, cuDNN's and cuBLAS's handles), which no framework's limit
counts: without setting it aside, the last of the trials that share a GPU would find less than its share."""

MARGIN = 1.25
"""What a measured peak is multiplied by: an allocator in a small pool loses some of it between its blocks (a tenth is
common), and other configurations than those that were measured are larger."""

_LEAST_BYTES = 128 * 2**20
_WHOLE = 0.95  # of a GPU that a trial has to itself; JAX leaves a quarter unused unless it is told


@dataclass(frozen=True)
class GpuShare:
    """What is asked for, of whichever framework Keras runs on.

    Attributes:
        environment: Variables to set before the framework starts; None: to remove.
        limit_bytes: Memory of the one GPU that it may allocate; None: all.
        total_bytes: Memory of that GPU; None where nothing is limited.
        hides_gpus: Whether it is to see none.
        grows: Whether it takes memory as it needs it, not at its start.
    """

    environment: Mapping[str, str | None] = field(default_factory=dict)
    limit_bytes: int | None = None
    total_bytes: int | None = None
    hides_gpus: bool = False
    grows: bool = False

    @property
    def fraction(self) -> float | None:
        """The limit as a part of the GPU, for the frameworks that ask for one; None: all."""
        if self.limit_bytes is None or self.total_bytes is None:
            return None
        return self.limit_bytes / self.total_bytes


def is_part(gpus: float | None) -> bool:
    """Whether it is a part of one GPU, whose memory has to be limited."""
    return gpus is not None and 0 < gpus < 1


def gpu_share(gpus: float | None, total_bytes: int | None) -> GpuShare:
    """What to ask for.

    Args:
        gpus: GPUs of a trial: 0 hides them all, None leaves them as they are.
        total_bytes: Memory of the GPU; None: there is none, or nobody needs to know.

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
    if total_bytes is None:  # Ray was told of GPUs that are not there, as tests do
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
    """What a framework may allocate of a part of a GPU."""
    return int(total_bytes * gpus) - CONTEXT_BYTES


def trials_a_gpu(peak_bytes: int, total_bytes: int, most: int) -> int:
    """How many trials that each allocate so much at their peak fit on one GPU, with a margin; at least 1."""
    needed = peak_bytes * MARGIN
    return max((n for n in range(1, most + 1) if usable_bytes(total_bytes, 1 / n) >= needed), default=1)


def _jax_fraction(fraction: float) -> dict[str, str | None]:
    # JAX refuses to start when both names are set.
    return {"XLA_PYTHON_CLIENT_MEM_FRACTION": f"{fraction:.4f}", "XLA_CLIENT_MEM_FRACTION": None}
