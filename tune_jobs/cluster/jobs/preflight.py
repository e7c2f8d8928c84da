"""What would go wrong with a submission: decisions on what was asked, and on what the cluster has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from trainables.storage.object_store import has_credentials, is_uri, redacted, uri_problems
from tune_jobs.cluster.jobs.server import Cluster, Node
from tune_jobs.experiment.resources import Resources

# The folder of one who leaves it to us. A job's own folder is Ray's, which removes it.
HOME = "~/"
DEFAULT_STORAGE = f"{HOME}runs"
_OTHER_NAMES = {"cpu": "CPU", "gpu": "GPU"}
_MOST_NODES_TOLD = 5


def version_problems(theirs: str, ours: str) -> list[str]:
    """Whether two versions of Ray talk to each other: those of one minor version do."""
    if theirs.split(".")[:2] == ours.split(".")[:2]:
        return []
    wanted = ".".join(theirs.split(".")[:2])
    return [
        f"The cluster runs Ray {theirs}, but here is Ray {ours}: only the last number may differ. Install the "
        f"cluster's here (pip install 'ray[default]=={wanted}.*'), or this one there."
    ]


def python_notes(theirs: str, ours: str) -> list[str]:
    """A sentence where the experiment was checked by another Python than runs it; most code does not mind."""
    if theirs.split(".")[:2] == ours.split(".")[:2]:
        return []
    return [f"The cluster runs Python {theirs}, but the experiment was checked here with Python {ours}."]


def storage_problems(storage: str | None, cluster: Cluster | None) -> list[str]:
    """Why a storage cannot hold a run's folder.

    Args:
        storage: A path on the nodes, or the URI of an object store; None: the default.
        cluster: What is known of it; None: nothing.
    """
    several = cluster is not None and (len(cluster.nodes) > 1 or cluster.autoscaled)
    if storage is None:
        return [_several(cluster, "no --storage is named")] if several and cluster else []
    if is_uri(storage):
        return uri_problems(storage) or _cluster_uri_problems(storage)
    if storage.startswith(HOME) or PurePosixPath(storage).is_absolute():
        return []
    if several and cluster:
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
        f"The value of `storage` is {redacted(uri)!r} with credentials, which the cluster would show to all who see "
        "its jobs: leave them out, and give them to its nodes, by a role of the machines or in Ray's environment."
    ]


def _several(cluster: Cluster, wrong: str) -> str:
    count = f"has {len(cluster.nodes)} nodes" if len(cluster.nodes) > 1 else "may get more nodes"
    return (
        f"The cluster {count}, but {wrong}: trials write their checkpoints there, so it must be one folder that all "
        "nodes see. Name a path that is mounted at the same place on each, such as --storage /mnt/runs."
    )


def fit_problems(resources: Resources, cluster: Cluster) -> list[str]:
    """Why no node could ever run a trial: in plain Ray it would wait for ever."""
    if cluster.autoscaled or any(_fits(resources, node) for node in cluster.nodes):
        return []
    shown = [_node_text(resources, node) for node in cluster.nodes[:_MOST_NODES_TOLD]]
    more = len(cluster.nodes) - len(shown)
    there = "; ".join([*shown, *([f"and {more} more"] if more else [])]) or "there is none"
    return [
        f"resources: One trial needs {_text(_asked(resources))}, which no node of the cluster has ({there}). Ask for "
        "less (--cpus, --gpus), or add a larger node."
    ]


def fit_notes(resources: Resources, cluster: Cluster) -> list[str]:
    """A sentence where trials wait for nodes that the autoscaler has to start."""
    if not cluster.autoscaled or any(_fits(resources, node) for node in cluster.nodes):
        return []
    return [f"No node has {_text(_asked(resources))} now: trials wait until the autoscaler has started one that does."]


def _asked(resources: Resources) -> dict[str, float]:
    asked = {_OTHER_NAMES.get(name, name): amount for name, amount in resources.to_ray().items()}
    return {name: amount for name, amount in asked.items() if amount}


def _fits(resources: Resources, node: Node) -> bool:
    return all(amount <= node.resources.get(name, 0) for name, amount in _asked(resources).items())


def _node_text(resources: Resources, node: Node) -> str:
    return f"{node.ip}: {_text({name: node.resources.get(name, 0) for name in _asked(resources)})}"


def _text(amounts: Mapping[str, float]) -> str:
    return ", ".join(f"{amount:g} {name}" for name, amount in amounts.items())
