"""Finding runs: by folder, by URI, by name within a storage, and as a group of repeats."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from trainables.storage.object_store import ObjectStoreFolder, is_uri, redacted
from tune_jobs.base.named_files import exists
from tune_jobs.errors import RequestError
from tune_jobs.results import object_store_runs
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.results.run import Run


def load_run(location: Path | str) -> Run:
    """Return the run in a folder, or at a URI of an object store.

    For a run in an object store, its records are first copied to this machine, as they are now.

    Args:
        location: The run's folder, or its URI.

    Raises:
        RequestError: The folder is not that of a run, or the storage cannot be read.

    Example:
        >>> import tune_jobs
        >>> tune_jobs.load_run("runs/digits")
        Run('runs/digits')
    """
    if not isinstance(location, str) or not is_uri(location):
        return Run(location)
    if (run := _load_remote_run(ObjectStoreFolder.named(location))) is None:
        raise RequestError(f"{redacted(location)} is no run's folder: it has no {EXPERIMENT_FILE}.")
    return run


def find_run(reference: str, storage: Path | str) -> Run:
    """Return the run that a person names.

    Args:
        reference: The run's folder or URI, or its name within the storage.
        storage: The folder of all runs, or the URI of one in an object store.

    Raises:
        RequestError: There is no such run. The error lists the runs that exist.
    """
    remote = object_store_runs.named(reference, storage)
    if remote is not None and (run := _load_remote_run(remote)) is not None:
        return run
    storage = remote.root if remote is not None else storage
    for folder in (Path(reference), Path(storage) / reference):
        if exists(folder / EXPERIMENT_FILE):
            return Run(folder)
    names = object_store_runs.run_names(str(storage)) if is_uri(storage) else [run.name for run in list_runs(storage)]
    storage_text = redacted(str(storage))
    similar = [name for name in names if name.startswith(f"{reference}-")] or names
    existing = f"There are: {', '.join(similar[-5:])}." if names else f"{storage_text} has no runs."
    raise RequestError(
        f"There is no run {redacted(reference)!r}, neither as a folder nor by that name in {storage_text}. {existing} "
        "Use --storage when it lies elsewhere."
    )


def list_runs(storage: Path | str, skipped: Callable[[RequestError], object] = lambda _: None) -> list[Run]:
    """Return all runs of a storage, the oldest first; a folder that cannot be read as a run is left out.

    Args:
        storage: The folder of all runs, or the URI of one in an object store.
        skipped: Is called with the reason for each folder of a run on disk that is left out.

    Raises:
        RequestError: The object store cannot be read.
    """
    if is_uri(storage):
        remotes = (ObjectStoreFolder(str(storage), name) for name in object_store_runs.run_names(str(storage)))
        return sorted(filter(None, map(_load_remote_run, remotes)), key=_age)
    runs = []
    for path in Path(storage).glob(f"*/{EXPERIMENT_FILE}"):
        try:
            runs.append(Run(path.parent))
        except RequestError as error:
            skipped(error)
    return sorted(runs, key=_age)


def find_runs(reference: str, storage: Path | str) -> list[Run]:
    """Return the runs that a person names: all repeats of a group in order, or one run by itself.

    Args:
        reference: The name of a group or of a run within the storage, or its path or URI.
        storage: The folder of all runs, or the URI of one in an object store.

    Raises:
        RequestError: There is no such run. The error lists the runs that exist.

    Example:
        >>> import tune_jobs
        >>> tune_jobs.find_runs("digits", "runs")
        [Run('runs/digits')]
    """
    return find_repeats(reference, storage) or [find_run(reference, storage)]


def find_all_runs(references: Sequence[str], storage: Path | str) -> list[Run | list[Run]]:
    """Return for each reference a single run, or the list of the repeats that exist so far.

    Args:
        references: As for ``find_runs``.
        storage: The folder of all runs, or the URI of one in an object store.

    Raises:
        RequestError: Some references name no run. The error tells of each of them.
    """
    named: list[Run | list[Run]] = []
    problems: list[str] = []
    for reference in references:
        try:
            named.append(find_repeats(reference, storage) or find_run(reference, storage))
        except RequestError as error:
            problems += error.problems
    if problems:
        raise RequestError(*problems)
    return named


def find_repeats(reference: str, storage: Path | str) -> list[Run]:
    """Return the repeats of a group that exist so far, in order; none if there is no group of this name.

    Args:
        reference: The name of the group within the storage, or its path or URI without the number.
        storage: The folder of all runs, or the URI of one in an object store.
    """
    if (remote := object_store_runs.named(reference, storage)) is not None:
        return _remote_repeats(remote)
    return repeats_beside(Path(reference)) or repeats_beside(Path(storage) / reference)


def repeats_beside(group: Path) -> list[Run]:
    """Return the repeats of a group on disk, in order.

    Args:
        group: The path of the group: the repeats are the folders ``GROUP-1``, ``GROUP-2``, ….
    """
    folders = (file.parent for file in group.parent.glob(f"{glob.escape(group.name)}-*/{EXPERIMENT_FILE}"))
    return _in_order(group.name, [Run(folder) for folder in folders if _is_numbered(folder.name, group.name)])


def _remote_repeats(group: ObjectStoreFolder) -> list[Run]:
    names = [name for name in object_store_runs.run_names(group.root) if _is_numbered(name, group.name)]
    return _in_order(group.name, [load_run(ObjectStoreFolder(group.root, name).uri) for name in names])


def _is_numbered(name: str, group: str) -> bool:
    return re.fullmatch(re.escape(group) + r"-[0-9]+", name) is not None


def _in_order(group: str, runs: Sequence[Run]) -> list[Run]:
    repeats = {}
    for run in runs:
        repeat = run.repeat
        if repeat is not None and (repeat.of, repeat.name) == (group, run.name):
            repeats[repeat.number] = run
    return [repeats[number] for number in sorted(repeats)]


def _load_remote_run(remote: ObjectStoreFolder) -> Run | None:
    folder = object_store_runs.bring_records(remote)
    return None if folder is None else Run(folder, remote)


def _age(run: Run) -> tuple[float, str]:
    return run.experiment["created_s"], run.name
