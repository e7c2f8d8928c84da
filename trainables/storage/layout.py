"""The names in the folder of all trials, which stand here and nowhere else.

================================ ==================================================
name                             content
================================ ==================================================
``0007/``                        the folder of trial 7
``0007/epoch-000009/``           the checkpoint after epoch 9
``0007/epoch-000009/state.json`` the trial's state, without its arrays
``0007/epoch-000009/arrays.npz`` the arrays of the state: weights, optimizer, best
``0007/model.json``              the architecture of the trial's model
================================ ==================================================

A run adds its own files beside them: see ``tune_jobs.results.layout``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

STATE_FILE = "state.json"
ARRAYS_FILE = "arrays.npz"
ARCHITECTURE_FILE = "model.json"

CHECKPOINT_PREFIX = "epoch-"

# Names in a bucket are anybody's, so these patterns are narrow.
TRIAL_PATTERN = r"\d{4,10}"
CHECKPOINT_PATTERN = rf"{CHECKPOINT_PREFIX}\d{{6,10}}"
CHECKPOINT_FILE_PATTERN = f"{CHECKPOINT_PATTERN}/(?:{re.escape(STATE_FILE)}|{re.escape(ARRAYS_FILE)})"

_CHECKPOINT = re.compile(CHECKPOINT_PATTERN)


def trial_name(trial: int) -> str:
    """Return the name of a trial's folder."""
    return f"{trial:04d}"


def checkpoint_name(epoch: int) -> str:
    """Return the name of the checkpoint after an epoch."""
    return f"{CHECKPOINT_PREFIX}{epoch:06d}"


def is_checkpoint(name: str) -> bool:
    """Return whether a name in a trial's folder is that of a checkpoint."""
    return _CHECKPOINT.fullmatch(name) is not None


def epoch_of(checkpoint: str) -> int:
    """Return the epoch of a checkpoint, given its name."""
    return int(checkpoint.removeprefix(CHECKPOINT_PREFIX))


def checkpoints_of(files: Iterable[str], *, whole: bool) -> list[str]:
    """Return the names of the checkpoints that files belong to, newest first.

    Args:
        files: Paths of files, relative to a trial's folder and with slashes.
        whole: Whether to leave out checkpoints without a state. The state is written last, so a checkpoint without
            one was torn while it was written.
    """
    parts = (path.partition("/") for path in files)
    return newest_first({name for name, _, file in parts if file == STATE_FILE or (file and not whole)})


def newest_first(names: Iterable[str]) -> list[str]:
    """Return those of the names that are names of checkpoints, the newest first."""
    return sorted(filter(is_checkpoint, names), key=epoch_of, reverse=True)
