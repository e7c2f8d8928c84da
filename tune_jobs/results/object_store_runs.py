"""Runs in an object store: their files are copied to this machine before they are read."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

from trainables.storage.layout import ARCHITECTURE_FILE, CHECKPOINT_FILE_PATTERN, TRIAL_PATTERN, checkpoints_of
from trainables.storage.object_store import ObjectStoreFolder, is_uri, reason, redacted, uri_problems
from trainables.storage.own_files import is_own_kind, remove_own
from tune_jobs.base.atomic_files import produce_whole
from tune_jobs.errors import RequestError
from tune_jobs.results.layout import (
    ERROR_FILE,
    EVALUATION_NAME_PATTERN,
    EVALUATIONS_FOLDER,
    EXPERIMENT_FILE,
    JOURNAL_FILE,
    LOGS_FOLDER,
    TRIALS_FOLDER,
    WARM_START_FILE,
)

# Anybody may have chosen the names in a bucket. Only names of these forms ever become names of files.
_RECORD_FILES = "|".join(map(re.escape, (EXPERIMENT_FILE, JOURNAL_FILE, WARM_START_FILE)))
RECORDS = re.compile(rf"{_RECORD_FILES}|{EVALUATIONS_FOLDER}/{EVALUATION_NAME_PATTERN}")
PLAIN = re.compile(rf"{RECORDS.pattern}|{LOGS_FOLDER}/[\w.-]+|{TRIALS_FOLDER}/{TRIAL_PATTERN}/{re.escape(ERROR_FILE)}")
_TRIAL = re.compile(rf"{TRIALS_FOLDER}/({TRIAL_PATTERN})/({re.escape(ARCHITECTURE_FILE)}|{CHECKPOINT_FILE_PATTERN})")
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,110}")

_SHARED = Path("/var/tmp")  # noqa: S108 - the folder there must be this user's alone

Purpose = Literal["read", "run"]
"""The purpose of a copy. A process that only reads must not touch the journal of the one that runs."""


def local_storage(storage: str, purpose: Purpose) -> Path:
    """Return the folder on this machine for copies of a storage's runs.

    Raises:
        RequestError: There is no folder for copies that this user alone can write.
    """
    cache = _cache()
    if cache.parent == _for_users_without_home():
        _check_private(cache.parent)
    return cache / purpose / quote(redacted(storage), safe="")


def shown_uri(folder: Path) -> str | None:
    """Return the URI, without credentials, of the run (or storage) whose copy a folder is; None if it is no copy."""
    try:
        _, storage, *names = folder.absolute().relative_to(_cache()).parts
    except ValueError:
        return None
    return str(ObjectStoreFolder(unquote(storage), "/".join(names)))


def _cache() -> Path:
    """Return the folder for copies: below the home folder, unless there is none that can be written."""
    with suppress(RuntimeError):  # no home is known, as in a container whose user has no name
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute()
        nearest = next(parent for parent in (base, *base.parents) if parent.exists())
        if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
            return base / "tune-jobs"
    return _for_users_without_home() / "cache"


def _for_users_without_home() -> Path:
    return _SHARED / f"tune-jobs-{os.getuid()}"


def _check_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        is_private = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
        reason = "others can write it"
    except OSError as error:
        is_private, reason = False, str(error.strerror)
    if not is_private:
        raise RequestError(
            f"Copies of runs in an object store need a folder: your home folder cannot be written, nor is {folder} "
            f"yours alone ({reason}). Set XDG_CACHE_HOME to a folder that you can write."
        )


def named(reference: str, storage: Path | str) -> ObjectStoreFolder | None:
    """Return the run that a person names by its URI, or by its name within a storage that is a URI.

    Args:
        reference: The URI, the name, or something else.
        storage: The folder of all runs, or its URI.

    Returns:
        The run, which need not exist; None if neither is a URI.
    """
    if is_uri(reference):
        return ObjectStoreFolder.named(reference)
    if is_uri(storage) and _RUN.fullmatch(reference):
        return ObjectStoreFolder(str(storage), reference)
    return None


def run_names(storage: str) -> list[str]:
    """Return the names of the folders in a storage that may be runs.

    Raises:
        RequestError: The storage cannot be read.
    """
    _check(storage)
    try:
        return [name for name in ObjectStoreFolder(storage).folders() if _RUN.fullmatch(name)]
    except OSError as error:
        raise _unreadable(storage, error) from error


def bring_records(run: ObjectStoreFolder) -> Path | None:
    """Copy the records of a run, but no weights, to this machine.

    Returns:
        The folder of the copy; None if there is no such run.

    Raises:
        RequestError: The storage cannot be read.
    """
    folder = local_storage(run.root, "read") / run.below
    return folder if bring(run, folder, RECORDS) else None


def bring_weights(run: ObjectStoreFolder, folder: Path) -> None:
    """Copy the newest checkpoint of every trial that has one.

    Args:
        run: The run.
        folder: The folder of its copy.

    Raises:
        RequestError: The storage cannot be read.
    """
    try:
        wanted = _newest(run.files())
        for name, size in wanted.items():
            path = folder / name
            if not path.is_file() or path.stat().st_size != size or not name.endswith(".npz"):
                _bring(run, name, path)
        _drop(folder, lambda name: _TRIAL.fullmatch(name) is not None and name not in wanted)
    except OSError as error:
        raise _unreadable(str(run), error) from error


def publish(run: ObjectStoreFolder, folder: Path, path: Path) -> None:
    """Send a file of a run's copy to the run.

    Args:
        run: The run.
        folder: The folder of its copy.
        path: The file in that folder.

    Raises:
        RequestError: The storage refuses the file.
    """
    try:
        run.send(path.relative_to(folder).as_posix(), path)
    except OSError as error:
        raise RequestError(f"{run} does not take {path.name} ({reason(error)}): it is in {path.parent}.") from error


def bring(run: ObjectStoreFolder, folder: Path, kind: re.Pattern[str] = PLAIN) -> bool:
    """Copy files of a run into a folder, each whole. Other files of that kind are of another run, and are deleted.

    Args:
        run: The run.
        folder: The folder; it is made.
        kind: A pattern for the paths of the files.

    Returns:
        Whether there is such a run; if not, nothing was written.

    Raises:
        RequestError: The storage cannot be read.
    """
    _check(run.root)
    if not _RUN.fullmatch(run.below):
        return False
    try:
        names = run.files()
        if EXPERIMENT_FILE not in names:
            return False
        wanted = [name for name in names if kind.fullmatch(name)]
        for name in sorted(wanted, key=EXPERIMENT_FILE.__eq__):  # last: without it, nobody takes the folder for a run
            _bring(run, name, folder / name)
        _drop(folder, lambda name: kind.fullmatch(name) is not None and name not in wanted)
    except OSError as error:
        raise _unreadable(str(run), error) from error
    return bool(wanted)


def _newest(files: Mapping[str, int]) -> dict[str, int]:
    """Return the files of the newest whole checkpoint of each trial, with their sizes."""
    by_trial: dict[str, dict[str, str]] = {}
    for path in files:
        if match := _TRIAL.fullmatch(path):
            by_trial.setdefault(match[1], {})[match[2]] = path
    return {path: files[path] for names in by_trial.values() for path in _newest_of_trial(names)}


def _newest_of_trial(paths: Mapping[str, str]) -> Iterable[str]:
    newest = checkpoints_of(paths, whole=True)[:1]
    return [path for name, path in paths.items() if name == ARCHITECTURE_FILE or name.split("/")[0] in newest]


def _drop(folder: Path, is_stale: Callable[[str], bool]) -> None:
    for path in [path for path in folder.rglob("*") if is_stale(path.relative_to(folder).as_posix())]:
        if is_own_kind(path):
            remove_own(path.parent, [path.name])  # and the folder of a checkpoint; other folders are not empty


def _bring(run: ObjectStoreFolder, name: str, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    produce_whole(output, lambda path: run.bring(name, path), "Make room in the cache.", is_own=True)


def _check(storage: str) -> None:
    if problems := uri_problems(storage):
        raise RequestError(*problems)


def _unreadable(location: str, error: OSError) -> RequestError:
    return RequestError(
        f"{redacted(location)} cannot be read ({reason(error)}). Check that the bucket exists and that your "
        "credentials, which are taken from the environment as by the cloud's own tools, may read it."
    )
