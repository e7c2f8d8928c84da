"""Removal of a run: the files that this program makes in a run's folder, and nothing else."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from trainables.storage.checkpoint import DiskCheckpoints
from trainables.storage.layout import TRIAL_PATTERN
from trainables.storage.own_files import is_own_kind, remove_own
from tune_jobs.results.layout import (
    ERROR_FILE,
    EVALUATION_LOG,
    EVALUATION_NAME_PATTERN,
    EVALUATIONS_FOLDER,
    EXPERIMENT_FILE,
    JOURNAL_FILE,
    LEASE_TOKEN_FILE,
    LOCK_FILE,
    RAY_LOG,
    TRIALS_FOLDER,
    WARM_START_FILE,
)

_TRIAL, _EVALUATION = re.compile(TRIAL_PATTERN), re.compile(EVALUATION_NAME_PATTERN)


def remove_run(folder: Path) -> None:
    """Remove a run's files, then its folder. Whatever a person has put there stays, and the folder with it.

    Links are neither followed nor removed.

    Args:
        folder: The run's folder, on which no other process works.
    """
    trials, evaluations = folder / TRIALS_FOLDER, folder / EVALUATIONS_FOLDER
    for trial in _names(trials, _TRIAL):
        if is_own_kind(trials / trial, is_folder=True):
            remove_own(trials / trial, [ERROR_FILE])
            DiskCheckpoints(trials / trial).remove()
    remove_own(evaluations, _names(evaluations, _EVALUATION))
    remove_own(folder / Path(RAY_LOG).parent, [Path(log).name for log in (RAY_LOG, EVALUATION_LOG)])
    if is_own_kind(trials, is_folder=True):
        with suppress(OSError):  # somebody's files lie there
            trials.rmdir()
    # Without experiment.json nobody takes the folder for a run, so it goes last but one. The lock may be held.
    remove_own(folder, [JOURNAL_FILE, WARM_START_FILE, LEASE_TOKEN_FILE, EXPERIMENT_FILE, LOCK_FILE])


def _names(folder: Path, pattern: re.Pattern[str]) -> list[str]:
    if not is_own_kind(folder, is_folder=True):
        return []
    return sorted(path.name for path in folder.iterdir() if pattern.fullmatch(path.name))
