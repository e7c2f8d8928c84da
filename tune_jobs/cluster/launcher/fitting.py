"""The number of trials that fit on the nodes of a launcher file, and the reasons for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tune_jobs.base.amounts import ray_name, share_of_one
from tune_jobs.base.words import quantity
from tune_jobs.cluster.launcher.launcher_file import LauncherFile, NodeType
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import requested_amounts, trials_per_resource

_NEGLIGIBLE = 0.02  # of a GPU: 0.33 is meant as a third


@dataclass(frozen=True)
class ResourceCapacity:
    """The capacity of a node for trials, as far as one resource goes.

    Attributes:
        name: A field of ``Resources``, or the name of a custom resource.
        requested: The amount that a trial asks for; above 0.
        available: The amount that the node has; None: only known when it runs.
    """

    name: str
    requested: float
    available: float | None

    @property
    def trials(self) -> int | None:
        """The number of trials that the amount suffices for; None: only known when it runs."""
        return None if self.available is None else trials_per_resource(self.name, self.requested, self.available)


def resource_capacities(node_type: NodeType, resources: Resources) -> list[ResourceCapacity]:
    """Return the capacity of a node, one entry for each resource that a trial asks for.

    Args:
        node_type: The kind of the node.
        resources: What a trial asks for.
    """
    return [
        ResourceCapacity(name, requested, node_type.resources.get(ray_name(name), 0))
        for name, requested in requested_amounts(resources).items()
    ]


def trials_on(node_type: NodeType, resources: Resources) -> int | None:
    """Return how many trials fit on one node of a kind; None: only known when it runs.

    Args:
        node_type: The kind of the node.
        resources: What a trial asks for.
    """
    trials = [capacity.trials for capacity in resource_capacities(node_type, resources)]
    known = [number for number in trials if number is not None]
    if 0 in known:
        return 0
    return min(known) if len(known) == len(trials) else None


def concurrent_trials(launcher_file: LauncherFile, resources: Resources) -> int | None:
    """Return how many trials run side by side once all nodes are up; None: only known when it runs.

    Args:
        launcher_file: The file that promises the nodes.
        resources: What a trial asks for.
    """
    workers_left, total = launcher_file.max_workers, 0
    capacities = [(trials_on(node_type, resources), node_type) for node_type in _usable(launcher_file)]
    if any(trials is None for trials, _ in capacities):
        return None
    for trials, node_type in sorted(capacities, key=lambda capacity: -(capacity[0] or 0)):
        nodes = 1 if node_type.is_head else min(workers_left, node_type.max_workers)
        workers_left -= 0 if node_type.is_head else nodes
        total += nodes * (trials or 0)
    return total


def fitting_problems(launcher_file: LauncherFile, resources: Resources) -> list[str]:
    """Return the reasons why no trial would ever start; none when one may.

    Args:
        launcher_file: The file that promises the nodes.
        resources: What a trial asks for.
    """
    node_types = _usable(launcher_file)
    if any(trials_on(node_type, resources) != 0 for node_type in node_types):
        return []
    if all(node_type.is_head and node_type.resources.get("CPU") == 0 for node_type in node_types):
        return ["No node would run a trial: The head has no CPUs, and `max_workers` allows nothing else: raise it."]
    problems = [
        f"resources: The value of `{capacity.name}` is {capacity.requested:,.15g}, but no node has more than "
        f"{most:,.15g}: no trial could start. Ask for less, or take larger nodes."
        for capacity, most in _short_of(node_types, resources)
    ]
    return problems or ["resources: Each value fits on some node type, but none has them all: add one that does."]


def fitting_notes(launcher_file: LauncherFile, resources: Resources) -> list[str]:
    """Return notes on what fits but is probably not meant.

    Args:
        launcher_file: The file that promises the nodes.
        resources: What a trial asks for.
    """
    notes = [] if resources.gpus == "auto" else list(_fraction_notes(resources.first_gpus))
    notes += [note for node_type in _usable(launcher_file) for note in _idle_gpu_notes(node_type, resources)]
    head = launcher_file.node_types[0]
    on_head = trials_on(head, resources)
    if on_head != 0:
        many = "trials" if on_head is None else quantity(on_head, "trial")
        remedy = "start it with --num-cpus=0" if launcher_file.provider == "local" else "give it resources: {CPU: 0}"
        notes.append(f"{many} may run on the head ({head.name}), beside the run itself and Ray's services: {remedy}.")
    return notes


def _fraction_notes(gpus: float) -> Iterator[str]:
    if not 0 < gpus < 1:
        return
    trials = trials_per_resource("gpus", gpus, 1)
    unused = 1 - trials * gpus
    if unused < _NEGLIGIBLE:
        return
    larger, smaller = share_of_one(trials), share_of_one(trials + 1)
    nearest = larger if larger - gpus <= gpus - smaller else smaller
    yield (
        f"`gpus` is {gpus:g}, which does not divide a GPU: {unused:.4g} of each stays unused. The nearest that does "
        f"is {nearest:g}: with {larger:g} as many trials ({trials} a GPU) have more memory each, with {smaller:g} one "
        "more fits."
    )


def _idle_gpu_notes(node_type: NodeType, resources: Resources) -> Iterator[str]:
    """Yield a note where another resource leaves GPUs idle."""
    by_name = {capacity.name: capacity for capacity in resource_capacities(node_type, resources)}
    fewest, on_gpus = trials_on(node_type, resources), by_name["gpus"].trials if "gpus" in by_name else None
    if fewest and on_gpus and fewest < on_gpus:
        scarcest = min(by_name.values(), key=lambda capacity: capacity.trials or fewest).name
        yield (
            f"{node_type.name}: its GPUs are enough for {on_gpus} trials, but its {ray_name(scarcest)} for {fewest}: "
            f"ask for less `{scarcest}`, or some of the GPUs stay idle."
        )


def _usable(launcher_file: LauncherFile) -> list[NodeType]:
    """Return the kinds of nodes that the cluster can have at least one of."""
    most = launcher_file.max_workers
    return [kind for kind in launcher_file.node_types if kind.is_head or (kind.max_workers and most)]


def _short_of(node_types: list[NodeType], resources: Resources) -> Iterator[tuple[ResourceCapacity, float]]:
    """Yield each resource that no node has enough of, with the most that one has."""
    for capacities in zip(*(resource_capacities(kind, resources) for kind in node_types), strict=True):
        if all(capacity.trials == 0 for capacity in capacities):
            yield capacities[0], max(capacity.available or 0 for capacity in capacities)
