"""The replacement of a run by another one of its name: until that one has begun, the former can be put back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trainables.storage.own_files import MARK_FILE, has_mark, maker_is_alive, mark
from tune_jobs.engine.run_folder.removal import own_files, remove_empty_folders, remove_run
from tune_jobs.engine.run_folder.working_folder import locked
from tune_jobs.results.layout import EXPERIMENT_FILE

_KIND = "replaced run"


@contextmanager
def replaced_run(folder: Path) -> Iterator[None]:
    """Put a run's files aside for the block, and remove them at its end, if another run is in the folder then.

    If there is none, the files are put back. What a person has put into the folder stays in
    it all the time.

    Args:
        folder: The run's folder. Nothing is done if there is none.

    Raises:
        RequestError: Another process works on the run.
    """
    for abandoned in folder.parent.glob(f".{folder.name}.*"):  # by a process that was killed within the block
        if has_mark(abandoned, _KIND) and not maker_is_alive(abandoned):
            _remove(abandoned)
    if not (folder / EXPERIMENT_FILE).is_file():
        yield
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    os.close(mark(aside, _KIND))
    try:
        with locked(folder):
            _move(folder, aside)
        yield
    finally:
        if not (folder / EXPERIMENT_FILE).exists():
            folder.mkdir(exist_ok=True)
            _move(aside, folder)
        _remove(aside)


def _move(source: Path, target: Path) -> None:
    """Move a run's files into another folder, experiment.json last: it is what makes a folder a run."""
    for path in own_files(source):
        moved = target / path.relative_to(source)
        moved.parent.mkdir(parents=True, exist_ok=True)
        path.rename(moved)
    remove_empty_folders(source)


def _remove(aside: Path) -> None:
    remove_run(aside)
    with suppress(OSError):
        (aside / MARK_FILE).unlink()
        aside.rmdir()
