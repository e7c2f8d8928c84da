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
        told = "known when it runs" if most is None else quantity(most, "trial")
        lines += ["", f"side by side, when all nodes are there: {told}"]
        notes += fitting_notes(cluster, resources)
    lines += [""] * bool(notes) + [f"note: {note}" for note in notes]
    return "\n".join(map(clean, lines))


def _nodes(node_type: NodeType) -> str:
    if node_type.is_head:
        return "the head"
    least, most = node_type.min_workers, node_type.max_workers
    return quantity(most, "worker") if least == most else f"{least} to {quantity(most, 'worker')}"


def _has(node_type: NodeType) -> str:
    told = [_amount(name, there) for name, there in node_type.resources.items() if there is not None]
    silent = [name for name, there in node_type.resources.items() if there is None and name != "memory"]
    found = [f"{' and '.join(silent)} as Ray finds them"] if silent else []
    return ", ".join([*told, *found]) or "nothing that is declared"


def _fits(node_type: NodeType, resources: Resources) -> Iterator[str]:
    """Return one line for each resource of a trial, up to the first that is missing."""
    asked = resource_capacities(node_type, resources)
    if missing := [room for room in asked if room.trials == 0]:
        name = ray_name(missing[0].name)
        yield f"no trial: one asks for {_amount(name, missing[0].requested)}"
        return
    yield from map(_division, asked)
    if len(asked) > 1 and (fewest := trials_on(node_type, resources)) is not None:
        yield f"so {quantity(fewest, 'trial')} a node"


def _division(room: ResourceCapacity) -> str:
    name = ray_name(room.name)
    asked = f"{_bare(name, room.requested)} a trial"
    if room.available is None or room.trials is None:
        return f"{name} not declared / {asked}"
    return f"{_amount(name, room.available)} a node / {asked} = {quantity(room.trials, 'trial')} a node"


def _amount(name: str, amount: float) -> str:
    if name == "memory":
        return f"{_bare(name, amount)} of memory"
    return f"{amount:g} {name}{'s' * (name in ('CPU', 'GPU') and amount != 1)}"


def _bare(name: str, amount: float) -> str:
    return f"{amount / _GIB:.4g} GiB" if name == "memory" else f"{amount:g}"
