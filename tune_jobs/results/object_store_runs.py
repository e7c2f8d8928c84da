"""Runs that lie in an object store: what one reads of them is brought into a folder of this machine first."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

from trainables.storage import object_store_checkpoint as remote_checkpoint
from trainables.storage.object_store import ObjectStoreFolder, is_uri, reason, redacted, uri_problems
from tune_jobs.base.atomic_files import produce_whole
from tune_jobs.errors import RequestError
from tune_jobs.results.layout import (
    ERROR_FILE,
    EVALUATIONS_FOLDER,
    EXPERIMENT_FILE,
    JOURNAL_FILE,
    LOGS_FOLDER,
    TRIALS_FOLDER,
    WARM_START_FILE,
)

# Names in a bucket are anybody's: only these ever become those of files.
_RECORD_FILES = "|".join(map(re.escape, (EXPERIMENT_FILE, JOURNAL_FILE, WARM_START_FILE)))
RECORDS = re.compile(rf"{_RECORD_FILES}|{EVALUATIONS_FOLDER}/\d{{4,10}}\.json")
PLAIN = re.compile(rf"{RECORDS.pattern}|{LOGS_FOLDER}/[\w.-]+|{TRIALS_FOLDER}/\d{{4,10}}/{re.escape(ERROR_FILE)}")
_TRIAL = re.compile(TRIALS_FOLDER + r"/(\d{4,10})/(model\.json|epoch-\d{6,10}/(?:state\.json|arrays\.npz))")
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,110}")

Purpose = Literal["read", "run"]
"""What the copy of a run is for. Whoever only reads must not touch the journal of who runs."""


def local_storage(storage: str, purpose: Purpose) -> Path:
    """The folder of this machine for the runs of a storage."""
    return _cache() / purpose / quote(redacted(storage), safe="")


def shown_uri(folder: Path) -> str | None:
    """The URI, without credentials, of a run (or a storage) that has its copy in a folder; None where it is no copy."""
    try:
        _, storage, *names = folder.absolute().relative_to(_cache()).parts
    except ValueError:
        return None
    return str(ObjectStoreFolder(unquote(storage), "/".join(names)))


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "tune-jobs"


def named(reference: str, storage: Path | str) -> ObjectStoreFolder | None:
    """The run of an object store that a person names by its URI, or by its name in a storage that is a URI."""
    if is_uri(reference):
        return ObjectStoreFolder.named(reference)
    if is_uri(storage) and _RUN.fullmatch(reference):
        return ObjectStoreFolder(str(storage), reference)
    return None


def run_names(storage: str) -> list[str]:
    """The names of the folders of a storage that may be runs.

    Raises:
        RequestError: It cannot be read.
    """
    _check(storage)
    try:
        return [name for name in ObjectStoreFolder(storage).folders() if _RUN.fullmatch(name)]
    except OSError as error:
        raise _unreadable(storage, error) from error


def bring_records(run: ObjectStoreFolder) -> Path | None:
    """Brings what is known of a run, but no weights, here to be read; None where there is no such run.

    Raises:
        RequestError: It cannot be read.
    """
    folder = local_storage(run.root, "read") / run.below
    return folder if bring(run, folder, RECORDS) else None


def bring_weights(run: ObjectStoreFolder, folder: Path) -> None:
    """Brings the newest checkpoint of every trial that has one.

    Raises:
        RequestError: They cannot be read.
    """
    try:
        wanted = _newest(run.files())
        for name, size in wanted.items():
            place = folder / name
            if not place.is_file() or place.stat().st_size != size or not name.endswith(".npz"):
                _bring(run, name, place)
        _drop(folder, lambda name: _TRIAL.fullmatch(name) is not None and name not in wanted)
    except OSError as error:
        raise _unreadable(str(run), error) from error


def publish(run: ObjectStoreFolder, folder: Path, path: Path) -> None:
    """Sends a file of a run's copy to the run.

    Raises:
        RequestError: It is not taken.
    """
    try:
        run.send(path.relative_to(folder).as_posix(), path)
    except OSError as error:
        raise RequestError(f"{run} does not take {path.name} ({reason(error)}): it is in {path.parent}.") from error


def bring(run: ObjectStoreFolder, folder: Path, kind: re.Pattern[str] = PLAIN) -> bool:
    """Brings files of a run into a folder, each whole; others of their kind are of another run, and go.

    Args:
        run: The run.
        folder: The folder; it is made.
        kind: Which files.

    Returns:
        Whether there is such a run; else nothing was written.

    Raises:
        RequestError: It cannot be read.
    """
    _check(run.root)
    if not _RUN.fullmatch(run.below):
        return False
    try:
        there = run.files()
        if EXPERIMENT_FILE not in there:
            return False
        wanted = [name for name in there if kind.fullmatch(name)]
        for name in sorted(wanted, key=EXPERIMENT_FILE.__eq__):  # without it, nothing takes the folder for a run
            _bring(run, name, folder / name)
        _drop(folder, lambda name: kind.fullmatch(name) is not None and name not in wanted)
    except OSError as error:
        raise _unreadable(str(run), error) from error
    return bool(wanted)


def _newest(files: Mapping[str, int]) -> dict[str, int]:
    """What there is of the newest whole checkpoint of each trial."""
    of_trials: dict[str, dict[str, str]] = {}
    for path in files:
        if found := _TRIAL.fullmatch(path):
            of_trials.setdefault(found[1], {})[found[2]] = path
    return {path: files[path] for inner in of_trials.values() for path in _chosen(inner)}


def _chosen(inner: Mapping[str, str]) -> Iterable[str]:
    newest = remote_checkpoint.names(inner)[:1]
    return [path for name, path in inner.items() if name == "model.json" or name.split("/")[0] in newest]


def _drop(folder: Path, is_stale: Callable[[str], bool]) -> None:
    for path in [path for path in folder.rglob("*") if is_stale(path.relative_to(folder).as_posix())]:
        with suppress(FileNotFoundError):  # another process reads it, too
            path.unlink()
            with suppress(OSError):
                path.parent.rmdir()  # of a checkpoint; other folders hold more


def _bring(run: ObjectStoreFolder, name: str, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    produce_whole(place, lambda path: run.bring(name, path), "Make room in the cache.")


def _check(storage: str) -> None:
    if problems := uri_problems(storage):
        raise RequestError(*problems)


def _unreadable(what: str, error: OSError) -> RequestError:
    return RequestError(
        f"{redacted(what)} cannot be read ({reason(error)}): look whether the bucket is there, and whether the "
        "credentials, which are looked for in the environment as the cloud's own tools do, may read it."
    )
