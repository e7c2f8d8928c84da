"""Which runs are compared as one, what they are called, and why they cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tune_jobs.results.run import Run


class Group(NamedTuple):
    """Runs that belong together.

    Attributes:
        name: What they are called.
        runs: The runs; one or more.
        planned: How many there are to be.
    """

    name: str
    runs: Sequence[Run]
    planned: int


def group_of(runs: Run | Sequence[Run]) -> Group:
    """A run by itself, or runs that are called by their group, where all are repeats of it."""
    if isinstance(runs, Run):
        return Group(runs.name, [runs], 1)
    repeats = [run.repeat for run in runs]
    groups = {repeat.of if repeat else None for repeat in repeats}
    name = groups.pop() if len(groups) == 1 else None
    planned = max((repeat.count for repeat in repeats if repeat), default=0) if name else 0
    return Group(name or ", ".join(run.name for run in runs), list(runs), max(planned, len(runs)))


def runs_of(groups: Sequence[Group]) -> list[Run]:
    """All runs of some groups, in order."""
    return [run for group in groups for run in group.runs]


def problems_of(groups: Sequence[Group]) -> list[str]:
    """Why groups cannot be compared, before anything of their journals is read."""
    if not all(group.runs for group in groups):
        return ["A strategy has no runs, but must have one, or its repeats."]
    if len(groups) < 2:
        names = ", ".join(group.name for group in groups) or "nothing"
        return [f"There is only {names} to compare: name two runs, or two groups of repeats, or more."]
    problems = [f"{name} is named twice, or a part of it: name it once." for name in _named_twice(groups)]
    objectives = {run.objective for run in runs_of(groups)}
    if len(objectives) > 1:
        told = ", ".join(f"{group.name}: {_objective(group.runs[0])}" for group in groups)
        problems.append(f"Runs with different objectives cannot be compared ({told}).")
    return problems


def _named_twice(groups: Sequence[Group]) -> list[str]:
    """The strategies that have a run which an earlier one has already."""
    seen: set[Path] = set()
    twice: dict[str, None] = {}
    for group in groups:
        folders = {run.folder.resolve() for run in group.runs}
        if len(folders) < len(group.runs) or folders & seen:
            twice[group.name] = None
        seen |= folders
    return list(twice)


def _objective(run: Run) -> str:
    return f"{run.objective.metric} ({run.objective.mode})"


def names_of(groups: Sequence[Group]) -> list[str]:
    """What strategies are called: by their paths where two of different storages have the same name."""
    names = [group.name for group in groups]
    return [
        group.name if names.count(group.name) == 1 else str(group.runs[0].folder.parent / group.name)
        for group in groups
    ]
