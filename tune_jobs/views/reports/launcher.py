"""The report of ``tune-jobs cluster check`` on a launcher file: its nodes, and how many trials fit on each."""

from __future__ import annotations

from collections.abc import Iterator

from tune_jobs.base.amounts import ray_name
from tune_jobs.base.words import quantity
from tune_jobs.cluster.launcher.fitting import (
    ResourceCapacity,
    concurrent_trials,
    fitting_notes,
    resource_capacities,
    trials_on,
)
from tune_jobs.cluster.launcher.launcher_file import LauncherFile, NodeType
from tune_jobs.experiment.resources import Resources
from tune_jobs.views.text import clean

_GIB = 1 << 30


def report(cluster: LauncherFile, resources: Resources | None) -> str:
    """Return the report, as several lines.

    Args:
        cluster: The content of the launcher file.
        resources: The resources of a trial, or None if they are not given.
    """
    lines = [f"{cluster.name} on {cluster.provider}: {quantity(cluster.max_workers, 'worker')} at most", ""]
    widest = max(len(node_type.name) for node_type in cluster.node_types)
    notes = list(cluster.notes)
    for node_type in cluster.node_types:
        lines.append(f"{node_type.name:{widest}}  {_nodes(node_type)}, each with {_has(node_type)}")
        if resources is not None:
            lines += [f"{'':{widest}}  {line}" for line in _fits(node_type, resources)]
    if resources is not None:
        most = concurrent_trials(cluster, resources)
        side_by_side = "known when it runs" if most is None else quantity(most, "trial")
        lines += ["", f"side by side, when all nodes are there: {side_by_side}"]
        notes += fitting_notes(cluster, resources)
    lines += [""] * bool(notes) + [f"note: {note}" for note in notes]
    return "\n".join(map(clean, lines))


def _nodes(node_type: NodeType) -> str:
    if node_type.is_head:
        return "the head"
    least, most = node_type.min_workers, node_type.max_workers
    return quantity(most, "worker") if least == most else f"{least} to {quantity(most, 'worker')}"


def _has(node_type: NodeType) -> str:
    declared = [_amount(name, amount) for name, amount in node_type.resources.items() if amount is not None]
    undeclared = [name for name, amount in node_type.resources.items() if amount is None and name != "memory"]
    notes = [f"{' and '.join(undeclared)} as Ray finds them"] if undeclared else []
    return ", ".join([*declared, *notes]) or "nothing that is declared"


def _fits(node_type: NodeType, resources: Resources) -> Iterator[str]:
    """Return one line for each resource of a trial, up to the first that is missing."""
    capacities = resource_capacities(node_type, resources)
    if missing := [capacity for capacity in capacities if capacity.trials == 0]:
        name = ray_name(missing[0].name)
        yield f"no trial: one asks for {_amount(name, missing[0].requested)}"
        return
    yield from map(_division, capacities)
    if len(capacities) > 1 and (fewest := trials_on(node_type, resources)) is not None:
        yield f"so {quantity(fewest, 'trial')} a node"


def _division(capacity: ResourceCapacity) -> str:
    name = ray_name(capacity.name)
    requested = f"{_bare(name, capacity.requested)} a trial"
    if capacity.available is None or capacity.trials is None:
        return f"{name} not declared / {requested}"
    return f"{_amount(name, capacity.available)} a node / {requested} = {quantity(capacity.trials, 'trial')} a node"


def _amount(name: str, amount: float) -> str:
    if name == "memory":
        return f"{_bare(name, amount)} of memory"
    return f"{amount:g} {name}{'s' * (name in ('CPU', 'GPU') and amount != 1)}"


def _bare(name: str, amount: float) -> str:
    return f"{amount / _GIB:.4g} GiB" if name == "memory" else f"{amount:g}"
