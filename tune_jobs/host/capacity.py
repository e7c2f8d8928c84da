"""What trials may use, as a set of nodes, and how many of them fit on it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tune_jobs.host.demand import asked_for, trials_per_amount

if TYPE_CHECKING:
    from tune_jobs.experiment.resources import Resources

_TRIALS_PART = 0.7  # of the memory: Ray's object store, which holds the data, takes the rest


@dataclass(frozen=True)
class Node:
    """One machine.

    Attributes:
        cpus: CPUs that trials may use.
        gpus: GPUs that they may use.
        memory_bytes: Main memory that can be set aside for them.
        custom: Other resources by name.
        host: Its name.
    """

    cpus: float
    gpus: float = 0
    memory_bytes: float = 0
    custom: Mapping[str, float] = field(default_factory=dict)
    host: str = ""

    def room_for(self, resources: Resources) -> int:
        """How many trials fit side by side."""
        return min(trials_per_amount(name, asked, self.amount(name)) for name, asked in asked_for(resources).items())

    def amount(self, name: str) -> float:
        """What it has of a resource."""
        own: dict[str, float] = {"cpus": self.cpus, "gpus": self.gpus, "memory_bytes": self.memory_bytes}
        return own.get(name, self.custom.get(name, 0))


@dataclass(frozen=True)
class Machine:
    """Where trials run: this machine, or the nodes of a cluster.

    Attributes:
        nodes: Those that are there.
        possible: Those that an autoscaler may have side by side, and how many of each; the present ones are among them.
        is_cluster: Whether they are a cluster's that this process has joined.
        may_grow: Whether it has an autoscaler that does not tell what it may start.
    """

    nodes: tuple[Node, ...]
    possible: tuple[tuple[Node, int], ...] = ()
    is_cluster: bool = False
    may_grow: bool = False

    @property
    def cpus(self) -> float:
        """CPUs of all nodes that are there."""
        return sum(node.cpus for node in self.nodes)

    @property
    def gpus(self) -> float:
        """GPUs of all nodes that are there."""
        return sum(node.gpus for node in self.nodes)

    def room_for(self, resources: Resources) -> int:
        """How many trials fit side by side, now or when the autoscaler has done what it may; 0 when not even one."""
        there = sum(node.room_for(resources) for node in self.nodes)
        return max(there, sum(count * node.room_for(resources) for node, count in self.possible))

    def concurrent(self, resources: Resources, most: int | None) -> int:
        """How many trials are to run side by side.

        Args:
            resources: What each gets.
            most: The person's own limit; where nobody else knows how far the cluster may grow, it is taken at its word.
        """
        room = self.room_for(resources)
        if self.may_grow:
            return max(1, room) if most is None else most  # one that waits makes the autoscaler start a node
        return room if most is None else min(room, most)

    def problems(self, resources: Resources) -> list[str]:
        """Why a trial fits nowhere: in plain Ray it would wait for ever."""
        if self.may_grow or self.room_for(resources):
            return []
        nodes = [*self.nodes, *(node for node, count in self.possible if count)]
        if not nodes:
            return ["resources: The cluster has no nodes: no trial could start. Start one that joins it."]
        asked = asked_for(resources)
        largest = {name: max(nodes, key=lambda node, name=name: node.amount(name)) for name in asked}  # type: ignore[misc]
        lacking = [name for name, node in largest.items() if asked[name] > node.amount(name)]
        return [self._problem(name, asked[name], largest[name]) for name in lacking] or [
            "resources: Each value fits on some node of the cluster, but no node has all of "
            f"{', '.join(f'{name}={amount:g}' for name, amount in asked.items())}: no trial could start. Ask for less, "
            "or add a node that has them all."
        ]

    def _problem(self, name: str, asked: float, largest: Node) -> str:
        owner = f"the largest node of the cluster ({largest.host})" if self.is_cluster else "this machine"
        there = f"{largest.amount(name):,.15g}"
        return (
            f"resources: The value of `{name}` is {asked:,.15g}, but {owner} has {there}: no trial could start. "
            f"Ask for at most {there}, or run on a larger machine."
        )


def this_machine() -> Machine:
    """What this process may use."""
    return Machine((Node(cpus=_cpus(), gpus=_gpus(), memory_bytes=int(_TRIALS_PART * _memory_bytes())),))


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


def _memory_bytes() -> int:
    """The main memory that this process may use: the machine's, or what its container allows."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # no such file, or "max"
        return machine


def _gpus() -> int:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([device for device in visible.split(",") if device.strip() not in ("", "-1", "NoDevFiles")])
    listed = Path("/proc/driver/nvidia/gpus")
    return len(list(listed.iterdir())) if listed.is_dir() else 0
