"""The files of modules, found without importing anything."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from tune_jobs.base.named_files import is_file

MOST_SOURCE_BYTES = 16 * 2**20
"""Most bytes of a file of Python. What is larger was not written by a person, and would be read for seconds."""


def find_module_file(module: str, folders: Sequence[str] = ()) -> str | None:
    """Return the file of a module, or None if it has none.

    Args:
        module: The dotted name.
        folders: Folders to search before those of Python's path.
    """
    path = [*folders, *sys.path]
    origin = None
    for name in [*parent_packages(module), module]:
        try:
            spec = PathFinder.find_spec(name, path)
        except (ImportError, OSError, ValueError, AttributeError):
            return None
        if spec is None:
            return None
        origin, path = spec.origin, list(spec.submodule_search_locations or ())
    return origin


def is_source_file(path: Path) -> bool:
    """Return whether a path is that of a plain file which may be read as the text of a module."""
    return is_file(path) and path.stat().st_size <= MOST_SOURCE_BYTES


def parent_packages(module: str) -> Iterator[str]:
    """Yield the packages around a module, the outermost first."""
    parts = module.split(".")
    for count in range(1, len(parts)):
        yield ".".join(parts[:count])
