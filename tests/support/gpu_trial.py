"""One trial in a process of its own: held to a share of the GPU, it takes what it can and tells how much that was.

Usage: gpu_trial.py BACKEND GPUS START. Needs the framework and NVIDIA's library, and neither Ray nor Keras.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from trainables.devices import gpu_limits, gpu_memory, prepare
from trainables.devices.gpu_share import is_part, share_for

_BLOCK = 64 * 2**20


def _block(backend: str) -> Any:
    """64 MiB on the GPU."""
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.device("GPU:0"):
            return tf.fill((_BLOCK // 4,), 1.0)
    if backend == "jax":
        import jax.numpy as jnp

        return jnp.ones(_BLOCK // 4, jnp.float32).block_until_ready()
    import torch

    return torch.ones(_BLOCK // 4, device="cuda")


def main(backend: str, gpus: float, start_s: float) -> None:
    share = share_for(gpus, gpu_memory.total_bytes() if is_part(gpus) else None)
    prepare.set_environment(share)
    __import__(backend)
    gpu_limits.limit(backend, share)
    report: dict[str, Any] = {"sees_gpu": gpu_limits.sees_gpu(backend), "limit_bytes": share.limit_bytes}
    if report["sees_gpu"]:
        time.sleep(max(0.0, start_s - time.time()))  # with the others
        blocks, report["error"] = [], ""
        for _ in range(1 + int(1.2 * (share.limit_bytes or 0)) // _BLOCK):
            try:
                blocks.append(_block(backend))
            except Exception as error:  # noqa: BLE001 - each framework has its own
                report["error"] = f"{type(error).__name__}: {error}"[:2000]
                break
        report |= {"blocks_bytes": len(blocks) * _BLOCK, "peak_bytes": gpu_memory.peak_bytes(backend)}
        report |= {"used_bytes": gpu_memory.used_bytes(), "total_bytes": gpu_memory.total_bytes()}
        time.sleep(max(0.0, start_s + 30 - time.time()))  # until the others have taken theirs
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
