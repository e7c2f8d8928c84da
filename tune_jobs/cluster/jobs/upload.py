"""The files of a folder that are sent to a cluster, and the reasons why the folder cannot be sent."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tune_jobs.cluster.internals.upload_rules import visit_files_sent
from tune_jobs.errors import RequestError

MOST_BYTES = 100 * 2**20
"""The limit of Ray's Jobs server for one request."""

LEFT_OUT = (".git", ".venv", "__pycache__", ".tune-jobs-cache", "/runs")
"""Patterns, as in .gitignore, of files that stay here; Ray adds those of .gitignore and .rayignore."""

_LARGEST_NAMED = 5
_MOST_S = 3.0  # a folder may be a whole disk
_LARGEST_S = 1.0  # the time for finding the largest parts of what is too large
_HEADERS_BYTES = 200  # what the archive says about a file beside its content, once before it and once at the end


@dataclass(frozen=True)
class File:
    """A file that is sent.

    Attributes:
        path: Its path within the folder.
        size_bytes: Its size.
    """

    path: str
    size_bytes: int


@dataclass(frozen=True)
class Contents:
    """The files of a folder that Ray would send.

    Attributes:
        files: Those that were found.
        is_whole: Whether they are all: the count stops where they are too many, or where it takes too long.
    """

    files: Sequence[File]
    is_whole: bool = True

    @property
    def size_bytes(self) -> int:
        """The size of the archive, as far as it was counted."""
        return sum(map(_archived_bytes, self.files))


class _EnoughError(Exception):
    """The end of a count."""


def contents(folder: Path, most_s: float = _MOST_S) -> Contents:
    """Return the files of a folder that Ray would send, by its own rules.

    What is too large is known at the limit. The count goes on for a moment, in order to name the largest parts.

    Args:
        folder: The folder.
        most_s: The seconds after which the count stops in any case.

    Raises:
        RequestError: There is no such folder, a part of it cannot be read, or links lead in a circle.
        NotInThisRay: Ray's rules cannot be asked.
    """
    if not folder.is_dir():
        raise RequestError(f"The value of --working-dir is {folder}, but must be a folder: it is sent to the cluster.")
    root, files, size_bytes, started_s = folder.resolve(), [], 0, time.monotonic()

    def count(path: Path) -> None:
        nonlocal size_bytes
        took_s = time.monotonic() - started_s
        if took_s > most_s or (size_bytes > MOST_BYTES and took_s > _LARGEST_S):
            raise _EnoughError
        # Not by resolve(): Python 3.11 raises an error for a link to itself. Ray's walk passes it over.
        if path.is_symlink() and path.parent.resolve().is_relative_to(os.path.realpath(path)):
            raise RequestError(
                f"{path} is a link to a folder that it lies in, which Ray would follow for ever: remove it, or name it "
                "in a .rayignore file there."
            )
        if path.is_file():
            files.append(File(path.relative_to(root).as_posix(), path.stat().st_size))
            size_bytes += _archived_bytes(files[-1])

    try:
        visit_files_sent(root, LEFT_OUT, count)
        return Contents(files)
    except (_EnoughError, RecursionError):
        return Contents(files, is_whole=False)
    except OSError as error:
        raise RequestError(
            f"{error.filename or folder} cannot be read ({error.strerror}), but lies in --working-dir {folder}: "
            "make it readable, or name it in a .rayignore file there."
        ) from error


def upload_problems(folder: Path, found: Contents | None, experiment_file: Path | None) -> list[str]:
    """Return the reasons why a folder cannot be sent.

    Args:
        folder: The folder.
        found: Its files that would be sent; None: unknown.
        experiment_file: The file of the experiment; None: it is installed on the cluster.
    """
    size_problems = [] if found is None else _size_problems(folder, found)
    return [*size_problems, *_location_problems(folder, found, experiment_file)]


def upload_notes(folder: Path, found: Contents) -> list[str]:
    """Return what could not be found out about a folder that is sent."""
    if found.is_whole or found.size_bytes > MOST_BYTES:
        return []
    return [
        f"The size of the folder {folder.resolve()} was not counted to its end: it has more than {len(found.files):,} "
        f"files, and Ray takes at most {_mib(MOST_BYTES)}. Name what is not needed in a .rayignore file there."
    ]


def _archived_bytes(file: File) -> int:
    return file.size_bytes + _HEADERS_BYTES + 2 * len(file.path)


def _size_problems(folder: Path, found: Contents) -> list[str]:
    size_bytes, amount = found.size_bytes, "" if found.is_whole else "more than "
    if size_bytes <= MOST_BYTES:
        return []
    entries: Counter[str] = Counter()
    for file in found.files:
        entries[_entry(file.path)] += file.size_bytes
    largest = ", ".join(f"{name} {_mib(amount)}" for name, amount in entries.most_common(_LARGEST_NAMED))
    return [
        f"The folder {folder.resolve()} is {amount}{_mib(size_bytes)} in {amount}{len(found.files)} files, but Ray "
        f"takes at most {_mib(MOST_BYTES)}. Largest: {largest}. Name what is not needed in a .rayignore file there (as "
        "in .gitignore), or choose a smaller --working-dir; data belongs onto a disk that the nodes see."
    ]


def _entry(path: str) -> str:
    top, slash, _ = path.partition("/")
    return top + slash


def _location_problems(folder: Path, found: Contents | None, experiment_file: Path | None) -> list[str]:
    if experiment_file is None:
        return []
    resolved = experiment_file.resolve()
    if not resolved.is_relative_to(folder.resolve()):
        return [
            f"The file {experiment_file} does not lie in the folder {folder.resolve()}, which is what is sent to the "
            f"cluster: name one that holds it, with all that it imports, such as --working-dir '{resolved.parent}'."
        ]
    within = resolved.relative_to(folder.resolve()).as_posix()
    if found is None or not found.is_whole or within in {file.path for file in found.files}:
        return []
    return [
        f"The file {experiment_file} would not be sent to the cluster: .gitignore or .rayignore names it, or it lies "
        f"in one of {', '.join(LEFT_OUT)}. Move it, or change that."
    ]


def _mib(size_bytes: float) -> str:
    return f"{size_bytes / 2**20:.3g} MiB"
