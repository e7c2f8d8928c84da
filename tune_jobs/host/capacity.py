"""The nodes that trials run on, and how many trials fit on them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from tune_jobs.base.amounts import RAY_NAMES, fits, trials_per_amount
from tune_jobs.experiment.resources import Resources

_TRIALS_PART = 0.7  # of the memory: Ray's object store, which holds the data, takes the rest


def requested_amounts(resources: Resources) -> dict[str, float]:
    """Return the amounts that a trial asks for, by field of ``Resources`` or custom name: CPUs, and others if not 0."""
    optional = {"gpus": resources.first_gpus, "memory_bytes": resources.memory_bytes or 0, **resources.custom}
    return {"cpus": resources.cpus, **{name: amount for name, amount in optional.items() if amount}}


def trials_per_resource(name: str, requested: float, available: float) -> int:
    """Return for how many trials a node has enough of one resource.

    Args:
        name: A field of ``Resources``, or the name of a custom resource.
        requested: The amount that each trial asks for. A part of a GPU is a part of one GPU.
        available: The amount that the node has.
    """
    if name == "gpus" and requested < 1:
        return int(available) * trials_per_amount(requested, 1)
    return trials_per_amount(requested, available)


@dataclass(frozen=True)
class Node:
    """One machine.

    Attributes:
        cpus: CPUs that trials may use.
        gpus: GPUs that they may use.
        memory_bytes: Main memory that can be set aside for them.
        custom: Other resources by name.
        host: Its name, or its address.
    """

    cpus: float
    gpus: float = 0
    memory_bytes: float = 0
    custom: Mapping[str, float] = field(default_factory=dict)
    host: str = ""

    @classmethod
    def from_ray(cls, resources: Mapping[str, float], host: str) -> Self:
        """Return the node with the resources that Ray reports.

        Args:
            resources: Amounts by Ray's names: ``CPU``, ``GPU``, ``memory``, and custom ones.
            host: The node's name, or its address.
        """
        own = RAY_NAMES.values()
        custom = {
            name: amount for name, amount in resources.items() if name not in own and not name.startswith("node:")
        }
        cpus, gpus, memory_bytes = (resources.get(name, 0) for name in own)
        return cls(cpus, gpus, memory_bytes, custom, host)

    def trials_that_fit(self, resources: Resources) -> int:
        """Return how many trials fit on it side by side."""
        requested = requested_amounts(resources)
        return min(trials_per_resource(name, amount, self.amount(name)) for name, amount in requested.items())

    def amount(self, name: str) -> float:
        """Return how much it has of a resource: a field of ``Resources``, or a custom one."""
        own: dict[str, float] = {"cpus": self.cpus, "gpus": self.gpus, "memory_bytes": self.memory_bytes}
        return own.get(name, self.custom.get(name, 0))


@dataclass(frozen=True)
class Machine:
    """The machine, or the nodes of a cluster, that trials run on.

    Attributes:
        nodes: The nodes that are up.
        possible: The kinds of nodes that an autoscaler may have up side by side, and how many of each. Those that are
            up count among them.
        is_cluster: Whether the nodes are those of a cluster that this process has joined.
        may_grow: True if it has an autoscaler that does not report what it may start.
    """

    nodes: tuple[Node, ...]
    possible: tuple[tuple[Node, int], ...] = ()
    is_cluster: bool = False
    may_grow: bool = False

    @property
    def cpus(self) -> float:
        """CPUs of all nodes that are up."""
        return sum(node.cpus for node in self.nodes)

    @property
    def gpus(self) -> float:
        """GPUs of all nodes that are up."""
        return sum(node.gpus for node in self.nodes)

    def without_cpus(self, cpus: float) -> Machine:
        """Return what is left for trials when some CPUs are kept for other work, on the node that has most of them."""
        if not cpus or not self.nodes:
            return self
        largest = max(range(len(self.nodes)), key=lambda index: self.nodes[index].cpus)
        nodes = list(self.nodes)
        nodes[largest] = replace(nodes[largest], cpus=max(0.0, nodes[largest].cpus - cpus))
        return replace(self, nodes=tuple(nodes))

    def trials_that_fit(self, resources: Resources) -> int:
        """Return how many trials fit side by side, now or once the autoscaler has started all that it may."""
        now = sum(node.trials_that_fit(resources) for node in self.nodes)
        return max(now, sum(count * node.trials_that_fit(resources) for node, count in self.possible))

    def concurrent_trials(self, resources: Resources, most: int | None) -> int:
        """Return how many trials are to run side by side.

        Args:
            resources: What each trial gets.
            most: The person's own limit. It is the result if nothing else limits the growth of the cluster.
        """
        fitting = self.trials_that_fit(resources)
        if self.may_grow:
            return max(1, fitting) if most is None else most  # a trial that waits makes the autoscaler start a node
        return fitting if most is None else min(fitting, most)

    def problems(self, resources: Resources) -> list[str]:
        """Return the reasons why a trial fits on no node: in plain Ray it would wait for ever."""
        if self.may_grow or self.trials_that_fit(resources):
            return []
        nodes = [*self.nodes, *(node for node, count in self.possible if count)]
        if not nodes:
            return ["resources: The cluster has no nodes: no trial could start. Start one that joins it."]
        requested = requested_amounts(resources)
        largest = {name: max(nodes, key=lambda node, name=name: node.amount(name)) for name in requested}  # type: ignore[misc]
        lacking = [name for name, node in largest.items() if not fits(requested[name], node.amount(name))]
        together = ", ".join(f"{name}={amount:g}" for name, amount in requested.items())
        return [self._problem(name, requested[name], largest[name]) for name in lacking] or [
            f"resources: Each value fits on some node of the cluster, but no node has all of {together}: no trial "
            "could start. Ask for less, or add a node that has them all."
        ]

    def _problem(self, name: str, requested: float, largest: Node) -> str:
        owner = f"the largest node of the cluster ({largest.host})" if self.is_cluster else "this machine"
        available = f"{largest.amount(name):,.15g}"
        return (
            f"resources: The value of `{name}` is {requested:,.15g}, but {owner} has {available}: no trial could "
            f"start. Ask for at most {available}, or run on a larger machine."
        )


def this_machine() -> Machine:
    """Return the machine of this process, with the CPUs, GPUs and memory that the process may use."""
    return Machine((Node(cpus=_cpus(), gpus=_gpus(), memory_bytes=int(_TRIALS_PART * _memory_bytes())),))


def _cpus() -> int:
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, _container_cpus() or allowed))


def _container_cpus() -> int | None:
    """Return the CPUs that the container's quota allows; None without a quota."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else max(1, int(quota) // int(period))


def _memory_bytes() -> int:
    """Return the main memory that this process may use: the machine's, or what its container allows."""
    machine_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine_bytes, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # no such file, or "max"
        return machine_bytes


def _gpus() -> int:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([device for device in visible.split(",") if device.strip() not in ("", "-1", "NoDevFiles")])
    listed = Path("/proc/driver/nvidia/gpus")
    return len(list(listed.iterdir())) if listed.is_dir() else 0
