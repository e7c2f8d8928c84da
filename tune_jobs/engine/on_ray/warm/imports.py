"""The facts that decide whether two processes import the same: their Python, their packages, and their variables."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from tune_jobs.base.named_files import read_file
from tune_jobs.host.environment import read_at_import

_PACKAGES = ("search_spaces", "trainables", "tune_jobs")
_ROOT = Path(__file__).parents[4]


def imports_signature(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a process with these variables would import, by what decides it.

    Args:
        environment: All variables of the process.
    """
    paths = sysconfig.get_paths()
    installed = [f"{Path(folder)} {_changed_ns([Path(folder)])}" for folder in {paths["purelib"], paths["platlib"]}]
    return {
        "Python": f"{sys.executable} {platform.python_version()}",
        "installed packages": " ".join(sorted(installed)),
        "tune-jobs": f"{_ROOT} {_changed_ns(_own_files())}",
        "keras.json": _keras_settings(environment),
        **read_at_import(environment),
    }


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Return the names of what differs."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _own_files() -> Iterator[Path]:
    for package in _PACKAGES:
        yield from (_ROOT / package).rglob("*.py")


def _changed_ns(paths: Iterator[Path] | list[Path]) -> int:
    """Return the time of the last change. Copying a file over another one cannot set this time back."""
    newest = 0
    for path in paths:
        with suppress(OSError):
            newest = max(newest, path.stat().st_ctime_ns)
    return newest


def _keras_settings(environment: Mapping[str, str]) -> str:
    folder = environment.get("KERAS_HOME") or os.path.join(environment.get("HOME", ""), ".keras")  # noqa: PTH118
    try:
        return hashlib.sha256(read_file(Path(folder, "keras.json"), 2**20)).hexdigest()
    except OSError:
        return ""
