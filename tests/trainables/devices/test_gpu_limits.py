"""What the frameworks and NVIDIA's library are asked for, by stand-ins that write it down."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from trainables import Data, KerasTrainable, TrialSettings
from trainables.devices import gpu_limits, gpu_memory
from trainables.devices import prepare as devices
from trainables.devices.gpu_share import GpuShare, share_for
from trainables.settings import GPUS_KEY, InvalidTrainable

GIB = 2**30
QUARTER = share_for(0.25, 16 * GIB)


class Asked:
    """Takes any call, and remembers the last one of each name."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.calls: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any) -> Any:
            self.calls[name] = args
            answer = self.answers.get(name)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


class NVMLError(Exception):
    pass


def nvml(monkeypatch: pytest.MonkeyPatch, *sizes_gib: int, used: list[Any] | None = None) -> Any:
    library = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: len(sizes_gib),
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetHandleByUUID=lambda name: {"MIG-7": 0}[name],
        nvmlDeviceGetUUID=lambda handle: f"GPU-{handle}abc",
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(total=sizes_gib[handle] * GIB),
        nvmlDeviceGetComputeRunningProcesses=lambda handle: used or [],
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    return library


@pytest.mark.parametrize(
    ("visible", "gib"),
    [
        (None, 8),
        ("0", 8),
        ("2", 80),
        ("1,0", 24),
        ("GPU-1abc", 24),
        ("GPU-2", 80),
        ("MIG-7", 8),
        ("", None),
        ("-1", None),
    ],
)
def test_the_memory_is_that_of_the_first_gpu_that_the_process_sees(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, gib: int | None
) -> None:
    nvml(monkeypatch, 8, 24, 80)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_memory.total_bytes() == (gib and gib * GIB)


def test_a_machine_without_a_driver_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise NVMLError

    nvml(monkeypatch).nvmlInit = fail
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert gpu_memory.total_bytes() is None


@pytest.mark.parametrize("has_driver", [True, False])
def test_what_is_missing_is_named_where_there_is_a_gpu(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, has_driver: bool
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.setattr(gpu_memory, "DRIVERS", (tmp_path if has_driver else tmp_path / "none",))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    if has_driver:
        with pytest.raises(InvalidTrainable, match=r"nvidia-ml-py \(pip install 'tune-jobs\[gpu\]'\)"):
            gpu_memory.total_bytes()
    else:
        assert gpu_memory.total_bytes() is None


@pytest.mark.parametrize(
    ("used_gib", "expected_gib"),
    [(None, 4), (10, 4), (3, 2.25), (0.5, 4)],  # NVIDIA's number counts CUDA's own 0.75 GiB
)
def test_a_peak_is_what_the_framework_allocated_or_all_that_the_process_holds(
    monkeypatch: pytest.MonkeyPatch, used_gib: float | None, expected_gib: float
) -> None:
    own = SimpleNamespace(pid=os.getpid(), usedGpuMemory=used_gib and int(used_gib * GIB))
    nvml(monkeypatch, 16, used=[SimpleNamespace(pid=1, usedGpuMemory=GIB), own])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    cuda = SimpleNamespace(is_available=lambda: True, max_memory_allocated=lambda: 4 * GIB)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert gpu_memory.peak_bytes("torch") == expected_gib * GIB


def test_jax_tells_its_peak_where_it_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    for statistics, peak in (({"peak_bytes_in_use": 7}, 7), (None, None)):
        device = SimpleNamespace(memory_stats=lambda told=statistics: told)
        monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(local_devices=lambda it=device: [it]))
        assert gpu_memory.peak_bytes("jax") == peak


def test_the_environment_is_set_before_anything_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CUDA_DEVICE_ORDER", "XLA_PYTHON_CLIENT_MEM_FRACTION", "CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("XLA_CLIENT_MEM_FRACTION", "0.9")
    monkeypatch.delenv("CUDA_DEVICE_ORDER")
    devices.set_environment(QUARTER)
    assert os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.2031"
    assert "XLA_CLIENT_MEM_FRACTION" not in os.environ
    assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "mine"
    config = Asked()
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(config=config))
    devices.set_environment(share_for(0, None))
    assert (os.environ["CUDA_VISIBLE_DEVICES"], os.environ["JAX_PLATFORMS"]) == ("", "cpu")
    assert config.calls == {"update": ("jax_platforms", "cpu")}


def tensorflow(monkeypatch: pytest.MonkeyPatch, *gpus: str, **answers: Any) -> tuple[Asked, Asked]:
    config, experimental = Asked(list_physical_devices=list(gpus), **answers), Asked()
    config.experimental = experimental
    config.LogicalDeviceConfiguration = lambda memory_limit: memory_limit
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace(config=config))
    return config, experimental


def test_tensorflow_gets_a_logical_device_of_the_share_s_size(monkeypatch: pytest.MonkeyPatch) -> None:
    config, experimental = tensorflow(monkeypatch, "GPU:0")
    gpu_limits.limit("tensorflow", QUARTER)
    assert config.calls["set_logical_device_configuration"] == ("GPU:0", [4096 - 768])
    assert experimental.calls == {}


def test_tensorflow_sees_none_and_whole_ones_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    config, _ = tensorflow(monkeypatch, "GPU:0", "GPU:1")
    gpu_limits.limit("tensorflow", share_for(0, None))
    assert config.calls["set_visible_devices"] == ([], "GPU")
    _, experimental = tensorflow(monkeypatch, "GPU:0", "GPU:1")
    gpu_limits.limit("tensorflow", share_for(2, None))
    assert experimental.calls["set_memory_growth"] == ("GPU:1", True)


def test_a_framework_that_was_used_before_is_not_trained_with_unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    late = RuntimeError("Virtual devices cannot be modified after being initialized")
    tensorflow(monkeypatch, "GPU:0", set_logical_device_configuration=late)
    with pytest.raises(InvalidTrainable, match=r"after being initialized.*when it is imported"):
        gpu_limits.limit("tensorflow", QUARTER)


def test_pytorch_gets_a_fraction_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = Asked(is_available=True, is_initialized=True)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    gpu_limits.limit("torch", QUARTER)
    assert cuda.calls["set_per_process_memory_fraction"] == (QUARTER.fraction,)
    with pytest.raises(InvalidTrainable, match="PyTorch has started CUDA"):
        gpu_limits.limit("torch", share_for(0, None))


@pytest.mark.parametrize(
    ("share", "platform", "limit_bytes", "is_held"),
    [
        (QUARTER, "gpu", QUARTER.limit_bytes, True),
        (QUARTER, "gpu", 12 * GIB, False),
        (QUARTER, "cpu", None, True),
        (share_for(0, None), "cpu", None, True),
        (share_for(0, None), "gpu", 12 * GIB, False),
    ],
)
def test_of_jax_it_is_checked_what_came_of_its_environment(
    monkeypatch: pytest.MonkeyPatch, share: GpuShare, platform: str, limit_bytes: int | None, is_held: bool
) -> None:
    device = SimpleNamespace(
        platform=platform, memory_stats=lambda: None if limit_bytes is None else {"bytes_limit": limit_bytes}
    )
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(local_devices=lambda: [device]))
    if is_held:
        gpu_limits.limit("jax", share)
    else:
        with pytest.raises(InvalidTrainable, match="cannot be held"):
            gpu_limits.limit("jax", share)


def test_a_worker_does_not_change_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "held_gpus", [0.25])
    with pytest.raises(RuntimeError, match=r"held to 0\.25 GPUs, and cannot train a trial with 0\.5"):
        devices.prepare(1, 0.5)


def test_a_trial_that_cannot_be_held_to_its_share_is_a_mistake_that_ends_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(cpus: float, gpus: float | None) -> None:
        raise InvalidTrainable(f"no {gpus:g}")

    monkeypatch.setattr(devices, "prepare", refuse)
    data = Data((np.zeros((4, 1)), np.zeros(4)))
    trial = KerasTrainable.standalone({GPUS_KEY: 0.5}, data, TrialSettings(gpus=0.25))
    assert trial.step() == {"done": True, "mistake": "no 0.5"}
