"""What this machine has for trials, and how many of them fit on it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tune_jobs.experiment import Resources


@dataclass(frozen=True)
class Machine:
    """CPUs and GPUs that trials may use."""

    cpus: float
    gpus: float

    def room_for(self, resources: Resources) -> int:
        """How many trials fit side by side; 0 when not even one does."""
        room = int(self.cpus / resources.cpus)
        return min(room, int(self.gpus / resources.gpus)) if resources.gpus else room

    def problems(self, resources: Resources) -> list[str]:
        """Why a trial does not fit: in plain Ray it would wait for ever."""
        wanted = {"cpus": (resources.cpus, self.cpus), "gpus": (resources.gpus, self.gpus)}
        return [
            f"resources: The value of `{name}` is {asked:g}, but this machine has {there:g}: no trial could start. "
            f"Ask for at most {there:g}, or run on a larger machine."
            for name, (asked, there) in wanted.items()
            if asked > there
        ]


def this_machine() -> Machine:
    """The CPUs and GPUs that this process may use."""
    return Machine(cpus=_cpus(), gpus=_gpus())


def _cpus() -> int:
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, _container_cpus() or allowed))


def _container_cpus() -> int | None:
    """The CPUs that the container's quota allows; None without a quota."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else max(1, int(quota) // int(period))


def _gpus() -> int:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([device for device in visible.split(",") if device.strip() not in ("", "-1", "NoDevFiles")])
    listed = Path("/proc/driver/nvidia/gpus")
    return len(list(listed.iterdir())) if listed.is_dir() else 0
