"""The files of a folder that are sent to a cluster, and the reasons why the folder cannot be sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tune_jobs.cluster.internals.upload_rules import files_sent
from tune_jobs.errors import RequestError

MOST_BYTES = 100 * 2**20
"""The limit of Ray's Jobs server for one request."""

LEFT_OUT = (".git", ".venv", "__pycache__", ".tune-jobs-cache", "/runs")
"""Patterns, as in .gitignore, of files that stay here; Ray adds those of .gitignore and .rayignore."""

_LARGEST_NAMED = 5
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


def contents(folder: Path) -> list[File]:
    """Return the files of a folder that Ray would send, by its own rules.

    Args:
        folder: The folder.

    Raises:
        RequestError: There is no such folder, or a part of it cannot be read.
        NotInThisRay: Ray's rules cannot be asked.
    """
    if not folder.is_dir():
        raise RequestError(f"The value of --working-dir is {folder}, but must be a folder: it is sent to the cluster.")
    root = folder.resolve()
    try:
        return [File(path.relative_to(root).as_posix(), path.stat().st_size) for path in files_sent(root, LEFT_OUT)]
    except OSError as error:
        raise RequestError(
            f"{error.filename or folder} cannot be read ({error.strerror}), but lies in --working-dir {folder}: "
            "make it readable, or name it in a .rayignore file there."
        ) from error


def upload_problems(folder: Path, files: Sequence[File] | None, experiment_file: Path | None) -> list[str]:
    """Return the reasons why a folder cannot be sent.

    Args:
        folder: The folder.
        files: Its files that would be sent; None: unknown.
        experiment_file: The file of the experiment; None: it is installed on the cluster.
    """
    size_problems = [] if files is None else _size_problems(folder, files)
    return [*size_problems, *_location_problems(folder, files, experiment_file)]


def _size_problems(folder: Path, files: Sequence[File]) -> list[str]:
    size_bytes = sum(file.size_bytes + _HEADERS_BYTES + 2 * len(file.path) for file in files)
    if size_bytes <= MOST_BYTES:
        return []
    entries: Counter[str] = Counter()
    for file in files:
        entries[_entry(file.path)] += file.size_bytes
    largest = ", ".join(f"{name} {_mib(amount)}" for name, amount in entries.most_common(_LARGEST_NAMED))
    return [
        f"The folder {folder.resolve()} is {_mib(size_bytes)} in {len(files)} files, but Ray takes at most "
        f"{_mib(MOST_BYTES)}. Largest: {largest}. Name what is not needed in a .rayignore file there (as in "
        ".gitignore), or choose a smaller --working-dir; data belongs onto a disk that the nodes see."
    ]


def _entry(path: str) -> str:
    top, slash, _ = path.partition("/")
    return top + slash


def _location_problems(folder: Path, files: Sequence[File] | None, experiment_file: Path | None) -> list[str]:
    if experiment_file is None:
        return []
    resolved = experiment_file.resolve()
    if not resolved.is_relative_to(folder.resolve()):
        return [
            f"The file {experiment_file} does not lie in the folder {folder.resolve()}, which is what is sent to the "
            f"cluster: name one that holds it, with all that it imports, such as --working-dir '{resolved.parent}'."
        ]
    within = resolved.relative_to(folder.resolve()).as_posix()
    if files is None or within in {file.path for file in files}:
        return []
    return [
        f"The file {experiment_file} would not be sent to the cluster: .gitignore or .rayignore names it, or it lies "
        f"in one of {', '.join(LEFT_OUT)}. Move it, or change that."
    ]


def _mib(size_bytes: float) -> str:
    return f"{size_bytes / 2**20:.3g} MiB"
