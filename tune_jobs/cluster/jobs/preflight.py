"""Checks before a submission: what would go wrong, decided from the request and from the state of the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from trainables.storage.object_store import has_credentials, is_uri, redacted, uri_problems
from tune_jobs.base.amounts import ray_name
from tune_jobs.cluster.jobs.state import ClusterState
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Node, requested_amounts

HOME = "~/"
DEFAULT_STORAGE = f"{HOME}runs"
"""The storage of a person who names none. The folder that a job starts in is no choice: Ray removes it."""

_MOST_NODES_NAMED = 5


def version_problems(theirs: str, ours: str) -> list[str]:
    """Return a problem where two versions of Ray cannot talk to each other: those of one minor version can.

    Args:
        theirs: The version of the cluster.
        ours: The version on this machine.
    """
    if theirs.split(".")[:2] == ours.split(".")[:2]:
        return []
    wanted = ".".join(theirs.split(".")[:2])
    return [
        f"The cluster runs Ray {theirs}, but here is Ray {ours}: only the last number may differ. Install the "
        f"cluster's here (pip install 'ray[default]=={wanted}.*'), or this one there."
    ]


def python_notes(theirs: str, ours: str) -> list[str]:
    """Return a note where another Python runs the experiment than checked it; most code works with both.

    Args:
        theirs: The version of the cluster.
        ours: The version on this machine.
    """
    if theirs.split(".")[:2] == ours.split(".")[:2]:
        return []
    return [f"The cluster runs Python {theirs}, but the experiment was checked here with Python {ours}."]


def storage_problems(storage: str | None, cluster: ClusterState | None) -> list[str]:
    """Return the reasons why a storage cannot hold a run's folder.

    Args:
        storage: A path on the nodes, or the URI of an object store; None: the default.
        cluster: The state of the cluster; None: unknown.
    """
    is_shared = cluster is not None and (len(cluster.nodes) > 1 or cluster.is_autoscaled)
    if storage is None:
        return [_several(cluster, "no --storage is named")] if is_shared and cluster else []
    if is_uri(storage):
        return uri_problems(storage) or _cluster_uri_problems(storage)
    if storage.startswith(HOME) or PurePosixPath(storage).is_absolute():
        return []
    if is_shared and cluster:
        return [_several(cluster, f"the --storage {storage!r} is relative")]
    return [
        f"The value of `storage` is {storage!r}, but must be an absolute path on the cluster, or begin with {HOME} for "
        "the head's home: the folder that a job starts in is removed by Ray when the job is over."
    ]


def _cluster_uri_problems(uri: str) -> list[str]:
    if uri.startswith("file:"):
        return [f"The value of `storage` is {uri!r}, but must be the path itself, which all nodes mount alike."]
    if not has_credentials(uri):
        return []
    return [
        f"The value of `storage` is {redacted(uri)!r} with credentials, which the cluster would show to everybody who "
        "sees its jobs: leave them out, and give them to its nodes, by a role of the machines or in Ray's environment."
    ]


def _several(cluster: ClusterState, wrong: str) -> str:
    nodes = f"has {len(cluster.nodes)} nodes" if len(cluster.nodes) > 1 else "may get more nodes"
    return (
        f"The cluster {nodes}, but {wrong}: trials write their checkpoints there, so it must be one folder that all "
        "nodes see. Name a path that is mounted at the same place on each, such as --storage /mnt/runs."
    )


def fit_problems(resources: Resources, cluster: ClusterState) -> list[str]:
    """Return a problem where no node could ever run a trial: in plain Ray the trial would wait for ever.

    Args:
        resources: What a trial asks for.
        cluster: The state of the cluster.
    """
    if cluster.is_autoscaled or _is_any_fit(resources, cluster):
        return []
    named = [_node_text(resources, node) for node in cluster.nodes[:_MOST_NODES_NAMED]]
    more = len(cluster.nodes) - len(named)
    nodes = "; ".join([*named, *([f"and {more} more"] if more else [])]) or "it has none"
    return [
        f"resources: One trial needs {_text(requested_amounts(resources))}, which no node of the cluster has "
        f"({nodes}). Ask for less (--cpus, --gpus), or add a larger node."
    ]


def fit_notes(resources: Resources, cluster: ClusterState) -> list[str]:
    """Return a note where trials wait for nodes that the autoscaler has to start.

    Args:
        resources: What a trial asks for.
        cluster: The state of the cluster.
    """
    if not cluster.is_autoscaled or _is_any_fit(resources, cluster):
        return []
    requested = _text(requested_amounts(resources))
    return [f"No node has {requested} now: trials wait until the autoscaler has started one that does."]


def _is_any_fit(resources: Resources, cluster: ClusterState) -> bool:
    return any(node.trials_that_fit(resources) for node in cluster.nodes)


def _node_text(resources: Resources, node: Node) -> str:
    return f"{node.host}: {_text({name: node.amount(name) for name in requested_amounts(resources)})}"


def _text(amounts: Mapping[str, float]) -> str:
    return ", ".join(f"{amount:g} {ray_name(name)}" for name, amount in amounts.items())
