"""The files that this program makes in a run's folder, and their removal. Nothing else is touched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from trainables.storage.checkpoint import DiskCheckpoints
from trainables.storage.layout import (
    ARCHITECTURE_FILE,
    ARRAYS_FILE,
    CHECKPOINT_PATTERN,
    STATE_FILE,
    TRIAL_PATTERN,
)
from trainables.storage.own_files import is_own_kind
from tune_jobs.results.layout import (
    ERROR_FILE,
    EVALUATION_LOG,
    EVALUATION_NAME_PATTERN,
    EVALUATIONS_FOLDER,
    EXPERIMENT_FILE,
    JOURNAL_FILE,
    LEASE_TOKEN_FILE,
    LOCK_FILE,
    LOGS_FOLDER,
    RAY_LOG,
    TRIALS_FOLDER,
    WARM_START_FILE,
)

_TRIAL, _CHECKPOINT = re.compile(TRIAL_PATTERN), re.compile(CHECKPOINT_PATTERN)
_EVALUATION = re.compile(EVALUATION_NAME_PATTERN)


def own_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a run, without its lock; experiment.json comes last. Links are left out, and not followed.

    Args:
        folder: The run's folder.
    """
    yield from (path for path in _paths(folder) if is_own_kind(path))


def _paths(folder: Path) -> Iterator[Path]:
    for trial in _entries(folder / TRIALS_FOLDER, _TRIAL):
        for checkpoint in _entries(trial, _CHECKPOINT):
            if is_own_kind(checkpoint, is_folder=True):
                yield from (checkpoint / name for name in (ARRAYS_FILE, STATE_FILE))
        if is_own_kind(trial, is_folder=True):
            yield from (trial / name for name in (ARCHITECTURE_FILE, ERROR_FILE))
    yield from _entries(folder / EVALUATIONS_FOLDER, _EVALUATION)
    if is_own_kind(folder / LOGS_FOLDER, is_folder=True):
        yield from (folder / log for log in (RAY_LOG, EVALUATION_LOG))
    yield from (folder / name for name in (WARM_START_FILE, LEASE_TOKEN_FILE, JOURNAL_FILE, EXPERIMENT_FILE))


def remove_run(folder: Path) -> None:
    """Remove a run's files, then its folder. Whatever a person has put there stays, and the folder with it.

    Args:
        folder: The run's folder, on which no other process works.
    """
    for trial in _entries(folder / TRIALS_FOLDER, _TRIAL):
        DiskCheckpoints(trial).remove()  # and half a checkpoint
    for path in own_files(folder):
        with suppress(OSError):
            path.unlink()
    if is_own_kind(folder / LOCK_FILE):
        with suppress(OSError):
            (folder / LOCK_FILE).unlink()
    remove_empty_folders(folder)


def remove_empty_folders(folder: Path) -> None:
    """Remove those folders of a run that hold nothing any more, and its own.

    Args:
        folder: The run's folder.
    """
    trials = list(_entries(folder / TRIALS_FOLDER, _TRIAL))
    inner = [checkpoint for trial in trials for checkpoint in _entries(trial, _CHECKPOINT)]
    outer = [folder / name for name in (TRIALS_FOLDER, EVALUATIONS_FOLDER, LOGS_FOLDER)]
    for path in (*inner, *trials, *outer, folder):
        with suppress(OSError):  # it holds something else, or is a link or a file
            path.rmdir()


def _entries(folder: Path, pattern: re.Pattern[str]) -> Iterator[Path]:
    if is_own_kind(folder, is_folder=True):
        yield from sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name))
