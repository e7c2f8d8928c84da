"""Repeats: runs of the same experiment with other seeds, which together tell what was luck."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainables.storage.object_store import ObjectStoreFolder
from tune_jobs.errors import RequestError
from tune_jobs.results import object_store_runs as remote_runs
from tune_jobs.results.history import History
from tune_jobs.results.journal.events import Ending
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.results.run import Run, find_run, load_run


@dataclass(frozen=True, slots=True)
class Repeat:
    """Which repeat a run is.

    Attributes:
        of: The name of the group.
        number: Its number in it, from 1.
        count: How many there are to be.
    """

    of: str
    number: int
    count: int

    @property
    def name(self) -> str:
        """The name of its run."""
        return f"{self.of}-{self.number}"


def repeat_of(run: Run) -> Repeat | None:
    """Which repeat a run is; None for a run by itself."""
    told = run.experiment.get("repeat")
    match told:
        case {"of": str(of), "number": int(number), "count": int(count)} if 1 <= number <= count:
            return Repeat(of, number, count)
    return None


def has_ended(history: History) -> bool:
    """Whether a run came to its own end: nobody interrupted it, and nothing broke it."""
    return history.reason in (Ending.TRIALS, Ending.TIME, Ending.EPOCHS)


def find_runs(reference: str, storage: Path | str) -> list[Run]:
    """The runs that a person names: all repeats of a group, in order, or one run by itself.

    Args:
        reference: The name of a group or a run within the storage, or its path.
        storage: The folder of the runs.

    Raises:
        RequestError: There is none; the error lists those that there are.
    """
    return repeats_named(reference, storage) or [find_run(reference, storage)]


def find_all_runs(references: Sequence[str], storage: Path | str) -> list[Run | list[Run]]:
    """What each of several references names: a run by itself, or the repeats of a group, even if there is one so far.

    Raises:
        RequestError: A reference names none; the error tells of all that do.
    """
    found: list[Run | list[Run]] = []
    problems: list[str] = []
    for reference in references:
        try:
            found.append(repeats_named(reference, storage) or find_run(reference, storage))
        except RequestError as error:
            problems += error.problems
    if problems:
        raise RequestError(*problems)
    return found


def repeats_named(reference: str, storage: Path | str) -> list[Run]:
    """The repeats of a group that there are so far, in order; none when nothing is a group of this name."""
    if (remote := remote_runs.named(reference, storage)) is not None:
        return _remote_repeats(remote)
    for path in (Path(reference), Path(storage) / reference):
        if found := _repeats(path):
            return found
    return []


def _repeats(path: Path) -> list[Run]:
    folders = (file.parent for file in path.parent.glob(f"{glob.escape(path.name)}-*/{EXPERIMENT_FILE}"))
    return _in_order(path.name, [Run(folder) for folder in folders if _is_numbered(folder.name, path.name)])


def _remote_repeats(group: ObjectStoreFolder) -> list[Run]:
    names = [name for name in remote_runs.run_names(group.root) if _is_numbered(name, group.name)]
    return _in_order(group.name, [load_run(ObjectStoreFolder(group.root, name).uri) for name in names])


def _is_numbered(name: str, group: str) -> bool:
    return re.fullmatch(re.escape(group) + r"-[0-9]+", name) is not None


def _in_order(group: str, runs: Sequence[Run]) -> list[Run]:
    repeats = {}
    for run in runs:
        repeat = repeat_of(run)
        if repeat is not None and (repeat.of, repeat.name) == (group, run.name):
            repeats[repeat.number] = run
    return [repeats[number] for number in sorted(repeats)]
