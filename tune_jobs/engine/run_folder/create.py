"""Creating the folder of a run: its name, the checks before, and the record of the request."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

from trainables.storage.own_files import current_umask
from tune_jobs.base.atomic_files import write_whole
from tune_jobs.engine.decisions.warm_start import TakenTrials
from tune_jobs.engine.run_folder.callbacks import Callback
from tune_jobs.engine.run_folder.names import IfExists, existing_problem, replacement_problem
from tune_jobs.engine.run_folder.tools import tools_record
from tune_jobs.engine.run_folder.warm_start_file import write_lessons
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.record import change_record, write_record
from tune_jobs.results import Event
from tune_jobs.results.find import repeats_beside
from tune_jobs.results.layout import EXPERIMENT_FILE, TRIALS_FOLDER
from tune_jobs.results.run import Repeat

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def name_problems(name: str) -> list[str]:
    """Return the reasons why a run cannot have a name."""
    if _NAME.fullmatch(name):
        return []
    return [
        f"The value of `name` is {name!r}, but must be at most 100 letters, digits, '.', '_' and '-', the first a "
        "letter or digit: a run is a folder within the storage. Use --storage to choose where."
    ]


def folder_problems(storage: Path, name: str | None, if_exists: IfExists = "refuse") -> list[str]:
    """Return the reasons why a run cannot be created in a folder. Write nothing.

    Args:
        storage: The folder of all runs; it need not exist.
        name: The name of the run; None for a name that is free.
        if_exists: What happens to a run of that name.
    """
    if name is not None and (problems := name_problems(name)):
        return problems
    if name is not None and if_exists != "new" and os.path.lexists(storage / name):
        if if_exists == "refuse":
            return [existing_problem(name, storage)]
        if problem := replacement_problem(storage / name):
            return [problem]
    if name is not None and if_exists != "new" and repeats_beside(storage / name):
        return [
            f"The name {name!r} is that of the repeats {name}-1, {name}-2, … in {storage}. Choose another --name, or "
            f"go on with them: tune-jobs resume {name}."
        ]
    nearest = next(parent for parent in (storage, *storage.absolute().parents) if parent.exists())
    if not nearest.is_dir():
        return [f"The storage {storage} cannot be made: {nearest} is a file. Choose another --storage."]
    if not os.access(nearest, os.W_OK | os.X_OK):
        return [
            f"The storage {storage} cannot be written: you have no write permission for {nearest}. Choose another "
            "--storage."
        ]
    return []


def default_name(experiment_name: str) -> str:
    """Return a name for a run: the experiment's name and the time."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", experiment_name).strip("-.")[:60] or "run"
    return f"{plain}-{time.strftime('%Y%m%d-%H%M%S')}"


def create_folder(
    storage: Path,
    name: str,
    experiment: Experiment,
    experiment_name: str,
    reference: str | None = None,
    repeat: Repeat | None = None,
    warm_start: tuple[Sequence[TakenTrials], Sequence[Event]] = ((), ()),
    callbacks: Sequence[Callback] = (),
) -> Path:
    """Create the folder of a run, whole or not at all, and record the request in it.

    Args:
        storage: The folder of all runs.
        name: The name of the run.
        experiment: The experiment.
        experiment_name: The experiment's name.
        reference: The reference by which the command line finds the experiment again; None: it cannot.
        repeat: The position of the run in a group of repeats; None for a run by itself.
        warm_start: The result of ``warm_start_file.gather``: what was taken from each other run, and the events.
        callbacks: The callbacks of the run. Those that are other people's tools are remembered.

    Returns:
        The absolute path of the folder.

    Raises:
        RequestError: The file system refuses; nothing is left behind.
    """
    folder = storage.absolute() / name
    taken, lessons = warm_start
    record = write_record(name, experiment, experiment_name, reference, repeat)
    sources = [source.to_json() for source in taken]
    text = json.dumps({**record, "warm_start": sources, **tools_record(callbacks)}, indent=2)
    unfinished: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=folder.parent))
        unfinished.chmod(0o777 & ~current_umask())  # mkdtemp's folders are for their owner alone
        (unfinished / TRIALS_FOLDER).mkdir()
        (unfinished / EXPERIMENT_FILE).write_text(text + "\n", encoding="utf-8")
        if lessons:
            write_lessons(unfinished, lessons)
        _move(unfinished, folder)
    except OSError as error:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)
        raise RequestError(
            f"The folder {folder} cannot be made: {error.strerror}. Choose another --storage."
        ) from error
    return folder


@contextmanager
def storage_made(storage: Path) -> Iterator[None]:
    """Remove the folders of a storage that were missing before, if what follows fails and leaves nothing in them.

    Args:
        storage: The folder of all runs, as an absolute path.
    """
    missing = list(takewhile(lambda folder: not os.path.lexists(folder), (storage, *storage.parents)))
    try:
        yield
    except BaseException:
        for folder in missing:
            with suppress(OSError):  # it holds something, or was not made
                folder.rmdir()
        raise


def _move(unfinished: Path, folder: Path) -> None:
    """Put a new run into its place: at once, or, if a replaced run has left somebody's files there, one by one."""
    if not folder.is_dir():
        unfinished.rename(folder)
        return
    (folder / TRIALS_FOLDER).mkdir(exist_ok=True)
    (unfinished / TRIALS_FOLDER).rmdir()
    for path in sorted(unfinished.iterdir(), key=lambda path: path.name == EXPERIMENT_FILE):  # last: it makes the run
        path.rename(folder / path.name)
    unfinished.rmdir()


def update_record(
    folder: Path, record: Mapping[str, Any], experiment: Experiment, callbacks: Sequence[Callback] = ()
) -> None:
    """Record the budgets, the patience with failures, and the tools with which a run goes on.

    Args:
        folder: The run's folder.
        record: The content of its ``experiment.json`` so far.
        experiment: The experiment with the new values.
        callbacks: The callbacks. If there is no tool among them, those that the record has are kept.

    Raises:
        RequestError: The file cannot be written; it is left as it was.
    """
    text = json.dumps({**change_record(record, experiment), **tools_record(callbacks)}, indent=2) + "\n"
    write_whole(folder / EXPERIMENT_FILE, text.encode(), "Make room, and resume the run.", is_own=True)
