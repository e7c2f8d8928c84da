"""Facts that Ray has no public way to ask for: the limits of the autoscaler, and the environment of a submitted job.

Names that are not documented (ray 2.60):

- ``ray._private.state.state.get_cluster_config`` tells which nodes the autoscaler may still start, so that a trial that
  fits on none of the present nodes is not refused. Without it the limits come from the file that `ray up` leaves on the
  head, or else only the present nodes count.
- The variable ``RAY_JOB_CONFIG_JSON_ENV_VAR`` tells the driver of a job which modules the job was submitted with.
  Without it they are sent to the workers a second time, from the driver's copy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

JOB_CONFIG = "RAY_JOB_CONFIG_JSON_ENV_VAR"
_UNLIMITED = 10_000


def node_groups() -> list[tuple[str, Mapping[str, float], int]]:
    """Return the kinds of nodes that the autoscaler of the joined cluster may start, as it has told Ray.

    Returns:
        For each kind its name, its resources by Ray's names, and the most nodes of it side by side; empty where there
        is no autoscaler, or it has said nothing.
    """
    try:
        from ray._private import state

        config = state.state.get_cluster_config()
        groups = [] if config is None else config.node_group_configs
        return [
            (group.name, dict(group.resources), group.max_count if group.max_count >= 0 else _UNLIMITED)
            for group in groups
        ]
    except (ImportError, AttributeError):
        return []


def job_runtime_env(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the runtime environment that the job of this process was submitted with; empty if there is no such job.

    Args:
        environment: The variables of this process.
    """
    try:
        runtime_env = json.loads(environment.get(JOB_CONFIG, "{}")).get("runtime_env")
    except (json.JSONDecodeError, AttributeError):
        return {}
    return runtime_env if isinstance(runtime_env, dict) else {}
