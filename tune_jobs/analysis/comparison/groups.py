"""Groups of runs that are compared as one strategy: their names, and the reasons why groups cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from tune_jobs.results.find import load_run
from tune_jobs.results.run import Run


class Group(NamedTuple):
    """Runs that are compared as one strategy.

    Attributes:
        name: The name of the strategy.
        runs: The runs; one or more.
        planned: The number of runs that were planned.
    """

    name: str
    runs: Sequence[Run]
    planned: int


RunLike: TypeAlias = Run | Path | str
"""A run, or its folder or URI."""


def make_group(runs: RunLike | Sequence[RunLike]) -> Group:
    """Return a group of runs. If all runs are repeats of one group, it has the name of that group.

    Args:
        runs: A run by itself, or several runs.
    """
    if isinstance(runs, RunLike):
        run = _loaded(runs)
        return Group(run.name, [run], 1)
    loaded = [_loaded(run) for run in runs]
    repeats = [run.repeat for run in loaded]
    names = {repeat.of if repeat else None for repeat in repeats}
    name = names.pop() if len(names) == 1 else None
    planned = max((repeat.count for repeat in repeats if repeat), default=0) if name else 0
    return Group(name or ", ".join(run.name for run in loaded), loaded, max(planned, len(loaded)))


def _loaded(run: RunLike) -> Run:
    return run if isinstance(run, Run) else load_run(run)


def all_runs(groups: Sequence[Group]) -> list[Run]:
    """Return all runs of some groups, in order."""
    return [run for group in groups for run in group.runs]


def find_problems(groups: Sequence[Group]) -> list[str]:
    """Return why groups cannot be compared, a sentence each. Their journals are not read.

    Args:
        groups: The groups that are to be compared.
    """
    if not all(group.runs for group in groups):
        return ["A strategy has no runs, but must have one, or its repeats."]
    if len(groups) < 2:
        names = ", ".join(group.name for group in groups) or "nothing"
        return [f"There is only {names} to compare: name two runs, or two groups of repeats, or more."]
    problems = [f"{name} is named twice, or a part of it: name it once." for name in _named_twice(groups)]
    objectives = {_objective_text(run) for run in all_runs(groups)}
    if len(objectives) > 1:
        by_group = ", ".join(f"{group.name}: {_objective_text(group.runs[0])}" for group in groups)
        problems.append(f"Runs with different objectives cannot be compared ({by_group}).")
    return problems


def _named_twice(groups: Sequence[Group]) -> list[str]:
    """Return the names of the groups that share a run with an earlier one, or hold a run twice."""
    seen: set[Path] = set()
    twice: dict[str, None] = {}
    for group in groups:
        folders = {run.folder.resolve() for run in group.runs}
        if len(folders) < len(group.runs) or folders & seen:
            twice[group.name] = None
        seen |= folders
    return list(twice)


def _objective_text(run: Run) -> str:
    return f"{run.objective.metric} ({run.objective.mode})"


def distinct_names(groups: Sequence[Group]) -> list[str]:
    """Return a name for each group: its own, or its path if groups of different storages have the same name.

    Args:
        groups: The groups, no two of which share a run.
    """
    names = [group.name for group in groups]
    return [
        group.name if names.count(group.name) == 1 else str(group.runs[0].folder.parent / group.name)
        for group in groups
    ]
