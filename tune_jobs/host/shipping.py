"""Which of a person's own modules workers on other nodes must be sent, and which have them already."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path


def own_folders() -> list[str]:
    """The folders that this process finds modules in, beside those of Python and of what is installed."""
    places = sysconfig.get_paths()
    standard = [Path(places[kind]) for kind in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")]
    return [
        str(folder)
        for folder in (Path(entry).absolute() for entry in sys.path)
        if folder.is_dir() and not any(folder.is_relative_to(place) for place in standard)
    ]


def modules_to_send(folders: Iterable[str], working_dir: str | None = None) -> list[str]:
    """The modules in these folders, as Ray takes them: files, and folders that are packages.

    All of them, because a function may import only when it is called what lies beside its module.

    Args:
        folders: See ``own_folders``.
        working_dir: A folder that every worker has its own copy of, and finds modules in.
    """
    own = [Path(folder) for folder in dict.fromkeys(folders) if working_dir is None or not _same(folder, working_dir)]
    found = [entry for folder in own for entry in sorted(folder.iterdir()) if _is_module(entry)]
    return [str(entry) for entry in {entry.stem: entry for entry in reversed(found)}.values()][::-1]


def _is_module(entry: Path) -> bool:
    if entry.is_dir():
        return entry.name.isidentifier() and (entry / "__init__.py").is_file()
    return entry.suffix == ".py" and entry.stem.isidentifier() and entry.stem != "__init__" and entry.is_file()


def _same(folder: str, other: str) -> bool:
    return os.path.realpath(folder) == os.path.realpath(other)
