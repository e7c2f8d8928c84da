"""The question what happens if a run of the wanted name exists already, and the names that are free."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from trainables.storage.object_store import is_uri
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.results.object_store_runs import run_names

IfExists: TypeAlias = Literal["refuse", "resume", "overwrite", "new"]
"""The answers: refuse the request, go on with that run, replace it, or take another name."""

CHOICES: tuple[str, ...] = get_args(IfExists)
_LONGEST = 75  # leaves room for the time


def choice_problems(if_exists: object) -> list[str]:
    """Return what is wrong with an answer."""
    if if_exists in CHOICES:
        return []
    return [f"The value of `if_exists` is {if_exists!r}, but must be one of {', '.join(map(repr, CHOICES))}."]


def existing_problem(name: str, storage: object) -> str:
    """Return why a name is refused that a run has already, and what can be done.

    Args:
        name: The name.
        storage: The folder of all runs, or its URI, as a person may see it.
    """
    return (
        f"The run {name!r} exists already in {storage}. Go on with it (--if-exists resume), choose another --name (or "
        "--if-exists new), or replace it (--if-exists overwrite). In Python: if_exists='resume', 'new' or 'overwrite'."
    )


def replacement_problem(folder: Path) -> str | None:
    """Return why what lies in a run's place can be neither resumed nor replaced; None: it can."""
    if folder.is_symlink() or not (folder / EXPERIMENT_FILE).is_file():
        what = "a link" if folder.is_symlink() else "no run"
        return f"{folder} exists, but is {what}, so it can be neither resumed nor replaced. Choose another --name."
    return None


def free_name(storage: str | Path, name: str) -> str:
    """Return a name that no run of a storage has: the given one, or that with the time.

    Args:
        storage: The folder of all runs, or the URI of one in an object store.
        name: The name.
    """
    taken = set(run_names(str(storage)) if is_uri(storage) else _names_in(Path(storage)))
    dated = f"{name[:_LONGEST]}-{time.strftime('%Y%m%d-%H%M%S')}"
    candidates = [name, dated, *(f"{dated}_{number}" for number in range(2, len(taken) + 3))]
    return next(one for one in candidates if one not in taken and f"{one}-1" not in taken)


def _names_in(storage: Path) -> list[str]:
    return [path.name for path in storage.iterdir()] if storage.is_dir() else []
