"""The part of Ray's dashboard that is no public API: its REST paths about the cluster, and its talkative loggers.

The paths buy a preflight: whether a trial fits on some node, whether a storage must be shared, and which Python the
nodes have, before a job is sent. Silent loggers buy an output in which nothing is said twice.
"""

from __future__ import annotations

import logging
from typing import Any

from tune_jobs.cluster.internals import NotInThisRay

_MOST_NODES = 10_000
NODES_PATH = f"/api/v0/nodes?detail=true&limit={_MOST_NODES}"
METADATA_PATH = "/api/v0/cluster_metadata"
STATUS_PATH = "/api/cluster_status"

# They talk about uploads and connections, of which the preflight and the views tell.
LOGGERS = (
    "ray.dashboard.modules.dashboard_sdk",
    "ray.dashboard.modules.job.sdk",
    "ray._private.runtime_env.packaging",
    "ray._private.runtime_env.working_dir",
)


def silence_loggers() -> None:
    """Let Ray's client for jobs log nothing but errors. A logger that Ray no longer has does no harm."""
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)


def nodes_up(answer: Any) -> list[tuple[str, dict[str, float]]]:
    """Return the address of each node that is up, and its resources by Ray's names.

    Args:
        answer: The JSON that ``NODES_PATH`` gave.

    Raises:
        NotInThisRay: The JSON has another form.
    """
    try:
        nodes = answer["data"]["result"]["result"]
        return [(str(node["node_ip"]), dict(node["resources_total"])) for node in nodes if node["state"] == "ALIVE"]
    except (KeyError, TypeError, ValueError) as error:
        raise _other_form(NODES_PATH) from error


def python_version(answer: Any) -> str:
    """Return the version of Python that the cluster runs.

    Args:
        answer: The JSON that ``METADATA_PATH`` gave.

    Raises:
        NotInThisRay: The JSON has another form.
    """
    try:
        return str(answer["data"]["pythonVersion"])
    except (KeyError, TypeError) as error:
        raise _other_form(METADATA_PATH) from error


def is_autoscaled(answer: Any) -> bool:
    """Return whether Ray may start nodes.

    Where it cannot, its autoscaler gives every node a kind of its own, named ``node_`` and the node's id.

    Args:
        answer: The JSON that ``STATUS_PATH`` gave.

    Raises:
        NotInThisRay: The JSON has another form.
    """
    try:
        report = (answer["data"].get("clusterStatus") or {}).get("autoscalerReport") or {}
        kinds = report.get("nodeTypeMapping") or {}
        return any(kind != f"node_{node}" for node, kind in kinds.items())
    except (KeyError, TypeError, AttributeError) as error:
        raise _other_form(STATUS_PATH) from error


def _other_form(path: str) -> NotInThisRay:
    return NotInThisRay(f"{path} has another form than tune-jobs knows")
