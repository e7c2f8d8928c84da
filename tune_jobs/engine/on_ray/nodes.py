"""The nodes of the Ray that this process has joined: what they have, what they are called, which may still come."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tune_jobs.host.capacity import Machine, Node

_BOOTSTRAP = Path("~/ray_bootstrap_config.yaml")  # `ray up` leaves it on the head, for the autoscaler
_KUBERAY_START = "KUBERAY_GEN_RAY_START_CMD"  # in the pod of the head; what the autoscaler may start, it does not tell
_UNLIMITED = 10_000


def joined_machine() -> Machine:
    """Its nodes that are alive, and those that its autoscaler may start."""
    nodes = tuple(_node(table) for table in alive())
    return Machine(nodes, possible_nodes(), is_cluster=True, may_grow=_grows_unknown(os.environ))


def alive() -> list[dict[str, Any]]:
    """What Ray tells of each node that is alive."""
    return [table for table in tables() if table["Alive"]]


def tables() -> list[dict[str, Any]]:
    """What Ray tells of each node that there is or was."""
    import ray

    told: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return told


def names(told: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What to call each node, by its id: its host's name, or where several have that, its address, or both and its id.

    Args:
        told: What Ray tells of the nodes.
    """
    hosts = Counter(table["NodeManagerHostname"] for table in told)
    addresses = Counter(table["NodeManagerAddress"] for table in told)

    def name(table: Mapping[str, Any]) -> str:
        host, address, node = str(table["NodeManagerHostname"]), str(table["NodeManagerAddress"]), str(table["NodeID"])
        if hosts[host] == 1:
            return host
        return address if addresses[address] == 1 else f"{host}-{node[:6]}"

    return {str(table["NodeID"]): name(table) for table in told}


class ActorHosts:
    """Says on which node a worker is; each is looked up once."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def of(self, actor: Any) -> str:
        """The name of the node of a worker that has started.

        Ray has no public way to ask for it that does without the dashboard (ray 2.60: ``ray._private.state.actors``).
        """
        from ray._private import state

        actor_id = actor._ray_actor_id.hex()
        if actor_id not in self._names:
            node = state.actors(actor_id)["Address"]["NodeID"]
            self._names[actor_id] = names(tables()).get(node, node)
        return self._names[actor_id]


def possible_nodes() -> tuple[tuple[Node, int], ...]:
    """The nodes that the cluster's autoscaler may have side by side; none where it has no autoscaler.

    Its limits are where whoever runs the cluster has told them to Ray, or else where `ray up` has left them.
    """
    from ray._private import state

    config = state.state.get_cluster_config()
    if config is not None and config.node_group_configs:
        return tuple(
            (Node.from_ray(group.resources, group.name), group.max_count if group.max_count >= 0 else _UNLIMITED)
            for group in config.node_group_configs
        )
    return in_launcher_file(_BOOTSTRAP.expanduser())


def _grows_unknown(environment: Mapping[str, str]) -> bool:
    """Whether an autoscaler outside of Ray's own processes starts the nodes: KubeRay's."""
    return "--no-monitor" in environment.get(_KUBERAY_START, "")


def in_launcher_file(path: Path) -> tuple[tuple[Node, int], ...]:
    """The nodes that a cluster launcher's file allows; none where there is no such file."""
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
