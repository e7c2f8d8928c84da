"""Four trials on one GPU, each held to its quarter: on a real one, with whatever framework is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from trainables.devices.gpu_share import CONTEXT_BYTES

TOP = Path(__file__).parents[2]
BACKENDS = ("tensorflow", "jax", "torch")
TRIALS = 4


def _why_not(backend: str) -> str | None:
    """Why a backend cannot be tried here; asked in a child, so that nothing is started in this process."""
    if find_spec(backend) is None:
        return f"{backend} is not installed"
    if find_spec("pynvml") is None:
        return "nvidia-ml-py is not installed"
    if not Path("/dev/nvidiactl").exists():
        return "this machine has no NVIDIA GPU"
    return None


def _start(backend: str, gpus: float, start_s: float) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(TOP), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "tests.support.gpu_trial", backend, str(gpus), str(start_s)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _report(child: subprocess.Popen[str]) -> dict[str, Any]:
    out, errors = child.communicate(timeout=240)
    assert child.returncode == 0, errors
    report: dict[str, Any] = json.loads(out.splitlines()[-1])
    return report


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    if reason := _why_not(request.param):
        pytest.skip(reason)
    if not _report(_start(request.param, 1, 0))["sees_gpu"]:
        pytest.skip(f"{request.param} sees no GPU: it was built without CUDA, or the driver does not answer")
    return str(request.param)


@pytest.mark.gpu
def test_four_trials_side_by_side_stay_under_their_quarters(backend: str) -> None:
    start_s = time.time() + 60
    reports = [_report(child) for child in [_start(backend, 1 / TRIALS, start_s) for _ in range(TRIALS)]]
    for report in reports:
        quarter = report["total_bytes"] / TRIALS
        assert report["limit_bytes"] == int(quarter) - CONTEXT_BYTES
        assert report["peak_bytes"] <= report["limit_bytes"]
        assert report["blocks_bytes"] >= 0.8 * report["limit_bytes"]  # nobody took from it
        assert report["used_bytes"] is None or report["used_bytes"] <= 1.01 * quarter


@pytest.mark.gpu
def test_what_exceeds_a_share_is_out_of_memory_and_on_the_gpu(backend: str) -> None:
    failures = pytest.importorskip("tune_jobs.engine.decisions.failures", reason="tune_jobs's engine needs Ray")
    error = _report(_start(backend, 1 / TRIALS, 0))["error"]
    assert failures.reported_failure(error).cause is failures.FailureCause.GPU_MEMORY, error


@pytest.mark.gpu
def test_a_trial_without_gpus_sees_none(backend: str) -> None:
    assert not _report(_start(backend, 0, 0))["sees_gpu"]
