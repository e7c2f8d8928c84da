"""How many trials fit on the nodes of a cluster, and why so many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tune_jobs.base.words import count
from tune_jobs.cluster.launcher.launcher_file import Cluster, NodeType
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.demand import asked_for, trials_per_amount

_NEGLIGIBLE = 0.02  # of a GPU: 0.33 is meant as a third
RAYS_NAMES = {"cpus": "CPU", "gpus": "GPU", "memory_bytes": "memory"}


@dataclass(frozen=True)
class Room:
    """How many trials one resource of a node is enough for.

    Attributes:
        name: A field of Resources, or the name of a custom resource.
        asked: What a trial asks for; above 0.
        there: What the node has; None: only known when it runs.
    """

    name: str
    asked: float
    there: float | None

    @property
    def trials(self) -> int | None:
        """How many trials it is enough for; None: only known when it runs."""
        return None if self.there is None else trials_per_amount(self.name, self.asked, self.there)


def rooms(node_type: NodeType, resources: Resources) -> list[Room]:
    """What a trial asks for, beside what a node of this kind has."""
    return [
        Room(name, asked, node_type.resources.get(RAYS_NAMES.get(name, name), 0))
        for name, asked in asked_for(resources).items()
    ]


def trials_on(node_type: NodeType, resources: Resources) -> int | None:
    """How many trials fit on one node of this kind; None: only known when it runs."""
    rooms_ = [room.trials for room in rooms(node_type, resources)]
    known = [trials for trials in rooms_ if trials is not None]
    if 0 in known:
        return 0
    return min(known) if len(known) == len(rooms_) else None


def side_by_side(cluster: Cluster, resources: Resources) -> int | None:
    """How many trials run at a time when all nodes are there; None: only known when it runs."""
    left, total = cluster.max_workers, 0
    counted = [(trials_on(node_type, resources), node_type) for node_type in _that_run(cluster)]
    if any(most is None for most, _ in counted):
        return None
    for most, node_type in sorted(counted, key=lambda each: -(each[0] or 0)):
        nodes = 1 if node_type.is_head else min(left, node_type.max_workers)
        left -= 0 if node_type.is_head else nodes
        total += nodes * (most or 0)
    return total


def fitting_problems(cluster: Cluster, resources: Resources) -> list[str]:
    """Why no trial would ever start; nothing when one may."""
    nodes = _that_run(cluster)
    if any(trials_on(node_type, resources) != 0 for node_type in nodes):
        return []
    if all(node_type.is_head and node_type.resources.get("CPU") == 0 for node_type in nodes):
        return ["No node would run a trial: The head has no CPUs, and `max_workers` allows nothing else: raise it."]
    told = [
        f"resources: The value of `{room.name}` is {room.asked:,.15g}, but no node has more than {most:,.15g}: "
        "no trial could start. Ask for less, or take larger nodes."
        for room, most in _short_of(nodes, resources)
    ]
    return told or ["resources: Each value fits on some node type, but none has them all: add one that does."]


def fitting_notes(cluster: Cluster, resources: Resources) -> list[str]:
    """What fits and is probably not meant."""
    notes = [] if resources.gpus == "auto" else list(_fraction_notes(resources.first_gpus))
    notes += [note for node_type in _that_run(cluster) for note in _idle_gpu_notes(node_type, resources)]
    head = cluster.node_types[0]
    on_head = trials_on(head, resources)
    if on_head != 0:
        many = "trials" if on_head is None else count(on_head, "trial")
        remedy = "start it with --num-cpus=0" if cluster.provider == "local" else "give it resources: {CPU: 0}"
        notes.append(f"{many} may run on the head ({head.name}), beside the run itself and Ray's services: {remedy}.")
    return notes


def _fraction_notes(gpus: float) -> Iterator[str]:
    if not 0 < gpus < 1:
        return
    trials = trials_per_amount("gpus", gpus, 1)
    unused = 1 - trials * gpus
    if unused < _NEGLIGIBLE:
        return
    larger, smaller = _share(trials), _share(trials + 1)
    nearest = larger if larger - gpus <= gpus - smaller else smaller
    yield (
        f"`gpus` is {gpus:g}, which does not divide a GPU: {unused:.4g} of each stays unused. The nearest that does "
        f"is {nearest:g}: with {larger:g} as many trials ({trials} a GPU) have more memory each, with {smaller:g} one "
        "more fits."
    )


def _idle_gpu_notes(node_type: NodeType, resources: Resources) -> Iterator[str]:
    """GPUs that something else keeps from being used."""
    by_name = {room.name: room for room in rooms(node_type, resources)}
    fewest, on_gpus = trials_on(node_type, resources), by_name["gpus"].trials if "gpus" in by_name else None
    if fewest and on_gpus and fewest < on_gpus:
        least = min(by_name.values(), key=lambda room: room.trials or fewest).name
        yield (
            f"{node_type.name}: its GPUs are enough for {on_gpus} trials, but its {RAYS_NAMES.get(least, least)} "
            f"for {fewest}: ask for less `{least}`, or some of the GPUs stay idle."
        )


def _share(trials: int) -> float:
    """The largest part of a GPU that so many trials can have; Ray counts in ten-thousandths."""
    return (10_000 // trials) / 10_000


def _that_run(cluster: Cluster) -> list[NodeType]:
    """The kinds of nodes that there can be one of."""
    most = cluster.max_workers
    return [each for each in cluster.node_types if each.is_head or (each.max_workers and most)]


def _short_of(nodes: list[NodeType], resources: Resources) -> Iterator[tuple[Room, float]]:
    """What no node has enough of, with the most that one has."""
    for columns in zip(*(rooms(node_type, resources) for node_type in nodes), strict=True):
        if all(room.trials == 0 for room in columns):
            yield columns[0], max(room.there or 0 for room in columns)
