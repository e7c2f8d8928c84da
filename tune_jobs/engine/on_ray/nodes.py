"""The nodes of the Ray that this process has joined: their resources, their names, and those that may still come."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from tune_jobs.engine.on_ray.internals.state import node_groups
from tune_jobs.host.capacity import Machine, Node

LAUNCHER_FILE = Path("~/ray_bootstrap_config.yaml")  # `ray up` leaves it on the head, for the autoscaler
_KUBERAY_START = "KUBERAY_GEN_RAY_START_CMD"  # in the pod of the head; KubeRay's autoscaler does not tell its limits
_ANSWER_S = 10.0


def joined_machine() -> Machine:
    """Return the nodes that are alive, and those that the cluster's autoscaler may start."""
    nodes = tuple(_node(table) for table in alive_nodes())
    return Machine(nodes, possible_nodes(), is_cluster=True, may_grow=_may_grow_silently(os.environ))


def alive_nodes() -> list[dict[str, Any]]:
    """Return Ray's table of each node that is alive."""
    return [table for table in all_nodes() if table["Alive"]]


def all_nodes() -> list[dict[str, Any]]:
    """Return Ray's table of each node that is or was part of the cluster."""
    import ray

    tables: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return tables


def node_names(tables: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return a name for each node, by its id.

    The name is the host's name. Where several nodes share it, the name is the node's address, or the host's name and
    the beginning of the node's id if they share the address, too.

    Args:
        tables: Ray's tables of the nodes.
    """
    hosts = Counter(table["NodeManagerHostname"] for table in tables)
    addresses = Counter(table["NodeManagerAddress"] for table in tables)

    def name(table: Mapping[str, Any]) -> str:
        host, address, node = str(table["NodeManagerHostname"]), str(table["NodeManagerAddress"]), str(table["NodeID"])
        if hosts[host] == 1:
            return host
        return address if addresses[address] == 1 else f"{host}-{node[:6]}"

    return {str(table["NodeID"]): name(table) for table in tables}


class WorkerNodes:
    """The names of the nodes that workers run on. Each worker is asked once, which takes about 1 ms."""

    def __init__(self) -> None:
        self._names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()  # weak: a handle keeps its actor alive

    def name(self, worker: Any) -> str:
        """Return the name of the node of a worker.

        Args:
            worker: The actor, which has nothing to do at this moment.

        Returns:
            The name; empty if the worker does not answer: Ray notices its death by itself.
        """
        if worker not in self._names:
            node_id = _ask_for_node(worker)
            self._names[worker] = node_names(all_nodes()).get(node_id, node_id) if node_id else ""
        return self._names[worker]


def _ask_for_node(worker: Any) -> str:
    import ray

    def node_id(_: Any) -> str:  # a nested function travels by value: the worker need not import this module
        return ray.get_runtime_context().get_node_id()

    try:
        answer: str = ray.get(worker.__ray_call__.remote(node_id), timeout=_ANSWER_S)
    except (ray.exceptions.RayError, AttributeError):
        return ""
    return answer


def possible_nodes() -> tuple[tuple[Node, int], ...]:
    """Return the nodes that the cluster's autoscaler may have side by side; none where it has no autoscaler.

    The limits come from Ray, if the owner of the cluster has declared them there, or else from the file that `ray up`
    leaves on the head.

    Returns:
        Pairs of a node and the most nodes of its kind.
    """
    groups = tuple((Node.from_ray(resources, name), most) for name, resources, most in node_groups())
    try:
        return groups or launcher_file_nodes(LAUNCHER_FILE.expanduser())
    except RuntimeError:  # no home is known
        return ()


def _may_grow_silently(environment: Mapping[str, str]) -> bool:
    """Return whether an autoscaler outside of Ray's own processes starts the nodes, as KubeRay's does."""
    return "--no-monitor" in environment.get(_KUBERAY_START, "")


def launcher_file_nodes(path: Path) -> tuple[tuple[Node, int], ...]:
    """Return the nodes that a file of Ray's cluster launcher allows; none where there is no such file.

    Returns:
        Pairs of a node and the most nodes of its kind.
    """
    import yaml

    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        most, head, kinds = config["max_workers"], config["head_node_type"], config["available_node_types"]
        return tuple(
            (Node.from_ray(kind["resources"], name), min(most, kind.get("max_workers", most)) + (name == head))
            for name, kind in kinds.items()
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return ()


def _node(table: Mapping[str, Any]) -> Node:
    return Node.from_ray(table["Resources"], table["NodeManagerHostname"])
