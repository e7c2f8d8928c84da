"""Trials that train together on a GPU have the results of trials alone, and share its memory as one process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gpu.test_shares_of_a_gpu import _report, _start, _why_not

TOP = Path(__file__).parents[2]
LANES = TOP / "tests" / "trainables" / "backends" / "jax_lanes.py"


@pytest.mark.gpu
def test_lanes_on_a_gpu_train_as_trials_alone_there() -> None:
    if reason := _why_not("jax"):
        pytest.skip(reason)
    if not _report(_start("jax", 1, 0))["sees_gpu"]:
        pytest.skip("jax sees no GPU: it was built without CUDA, or the driver does not answer")
    # XLA chooses other kernels for other shapes: with TensorFloat-32 the results would differ in the third digit.
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_DEFAULT_MATMUL_PRECISION": "highest"}
    environment |= {"PYTHONPATH": str(TOP), "TOGETHER_GPUS": "1", "TOGETHER_RTOL": "1e-3"}
    child = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(LANES), "-k", "small or any_number"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert "5 passed" in child.stdout, child.stdout[-3000:] + child.stderr[-1000:]
