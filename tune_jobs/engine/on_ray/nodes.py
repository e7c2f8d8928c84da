"""The nodes of the Ray that this process has joined: their resources, their names, and those that may still come."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tune_jobs.base.named_files import read_file
from tune_jobs.engine.on_ray.internals.state import node_groups
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Machine, Node

LAUNCHER_FILE = Path("~/ray_bootstrap_config.yaml")  # `ray up` leaves it on the head, for the autoscaler
_MOST_BYTES = 4 * 2**20
_KUBERAY_START = "KUBERAY_GEN_RAY_START_CMD"  # in the pod of the head; KubeRay's autoscaler does not tell its limits


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


def has_room_beside(node_id: str, taken: Iterable[str], resources: Resources) -> bool:
    """Return whether another node than one has room for a trial.

    Args:
        node_id: The id of the one.
        taken: The ids of the nodes of all workers of the run; a worker whose node is not known counts as elsewhere.
        resources: The resources of a trial.
    """
    others = [table for table in alive_nodes() if table["NodeID"] != node_id]
    room = sum(Node.from_ray(table["Resources"], "").trials_that_fit(resources) for table in others)
    return room > sum(taken_id != node_id for taken_id in taken)


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
        config = yaml.safe_load(read_file(path, _MOST_BYTES))
        most, head, kinds = config["max_workers"], config["head_node_type"], config["available_node_types"]
        return tuple(
            (Node.from_ray(kind["resources"], name), min(most, kind.get("max_workers", most)) + (name == head))
            for name, kind in kinds.items()
        )
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return ()


def _node(table: Mapping[str, Any]) -> Node:
    return Node.from_ray(table["Resources"], table["NodeManagerHostname"])
