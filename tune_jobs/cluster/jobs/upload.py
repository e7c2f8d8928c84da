"""What of a folder is sent to a cluster, and whether that is too much."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tune_jobs.errors import RequestError

# What Ray's Jobs server takes in one request.
MOST_BYTES = 100 * 2**20
# In gitignore's language; Ray adds what .gitignore and .rayignore say.
LEFT_OUT = (".git", ".venv", "__pycache__", "/runs")
_LARGEST_TOLD = 5
# Of the archive: what it says of a file beside its content, once before it and once at the end.
_HEADERS_BYTES = 200


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
    """The files of a folder that Ray would send, by its own rules.

    Raises:
        RequestError: There is no such folder, or a part of it cannot be read.
    """
    if not folder.is_dir():
        raise RequestError(f"The value of --working-dir is {folder}, but must be a folder: it is sent to the cluster.")
    from ray._private.ray_constants import RAY_RUNTIME_ENV_IGNORE_GITIGNORE, get_runtime_env_default_excludes
    from ray._private.runtime_env.packaging import _dir_travel, _get_excludes

    root = folder.resolve()
    found: list[File] = []

    def take(path: Path) -> None:
        if path.is_file():
            found.append(File(path.relative_to(root).as_posix(), path.stat().st_size))

    try:
        _dir_travel(
            root,
            [_get_excludes(root, [*get_runtime_env_default_excludes(), *LEFT_OUT])],
            take,
            include_gitignore=os.environ.get(RAY_RUNTIME_ENV_IGNORE_GITIGNORE, "0") != "1",
            logger=_silent(),
        )
    except OSError as error:
        raise RequestError(
            f"{error.filename or folder} cannot be read ({error.strerror}), but lies in --working-dir {folder}: "
            "make it readable, or name it in a .rayignore file there."
        ) from error
    return found


def _silent() -> logging.Logger:
    # What Ray would say here, the preflight says.
    logger = logging.Logger("upload")
    logger.disabled = True
    return logger


def upload_problems(folder: Path, files: Sequence[File], experiment_file: Path | None) -> list[str]:
    """Why a folder cannot be sent.

    Args:
        folder: The folder.
        files: What of it would be.
        experiment_file: The file of the experiment; None: it is installed on the cluster.
    """
    return [*_size_problems(folder, files), *_place_problems(folder, files, experiment_file)]


def _size_problems(folder: Path, files: Sequence[File]) -> list[str]:
    size = sum(file.size_bytes + _HEADERS_BYTES + 2 * len(file.path) for file in files)
    if size <= MOST_BYTES:
        return []
    entries: Counter[str] = Counter()
    for file in files:
        entries[_entry(file.path)] += file.size_bytes
    largest = ", ".join(f"{name} {_mib(amount)}" for name, amount in entries.most_common(_LARGEST_TOLD))
    return [
        f"The folder {folder.resolve()} is {_mib(size)} in {len(files)} files, but Ray takes at most "
        f"{_mib(MOST_BYTES)}. Largest: {largest}. Name what is not needed in a .rayignore file there (as in "
        ".gitignore), or choose a smaller --working-dir; data belongs onto a disk that the nodes see."
    ]


def _entry(path: str) -> str:
    top, slash, _ = path.partition("/")
    return top + slash


def _place_problems(folder: Path, files: Sequence[File], experiment_file: Path | None) -> list[str]:
    if experiment_file is None:
        return []
    resolved = experiment_file.resolve()
    if not resolved.is_relative_to(folder.resolve()):
        return [
            f"The file {experiment_file} does not lie in the folder {folder.resolve()}, which is what is sent to the "
            f"cluster: name one that holds it, with all that it imports, such as --working-dir '{resolved.parent}'."
        ]
    within = resolved.relative_to(folder.resolve()).as_posix()
    if within in {file.path for file in files}:
        return []
    return [
        f"The file {experiment_file} would be left out of what is sent to the cluster: .gitignore or .rayignore names "
        f"it, or it lies in one of {', '.join(LEFT_OUT)}. Move it, or change that."
    ]


def _mib(size_bytes: float) -> str:
    return f"{size_bytes / 2**20:.3g} MiB"
