"""The watch over what a process writes: every file that Python opens for writing, makes, moves or removes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ONE_PATH = {"os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.chown", "os.utime", "shutil.rmtree"}
_REMOVALS = {"os.remove", "os.rmdir", "shutil.rmtree"}  # the last argument is the folder's descriptor, or -1
_TWO_PATHS = {"os.rename", "os.link", "os.symlink"}
_DEVICES = ("/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/fd/")


class Watch:
    """A list of what was written outside of some folders. It can be begun once in a process, and never ends.

    Args:
        allowed: The files that may be written, and the folders in which everything may be.
    """

    def __init__(self, allowed: Iterable[Path]) -> None:
        # A link is allowed by its own name, too: making a folder in its place is tried, and fails.
        named = [(os.path.realpath(path.parent), path) for path in map(Path, allowed)]
        self._allowed = [real for folder, path in named for real in {f"{folder}/{path.name}", os.path.realpath(path)}]
        self._is_on = False
        self.outside: list[str] = []

    def begin(self) -> None:
        """Begin to watch."""
        sys.addaudithook(self._hear)
        self._is_on = True

    def end(self) -> None:
        """Stop to write down what happens."""
        self._is_on = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on:
            return
        paths: tuple[Any, ...] = ()
        if event == "open":
            paths = arguments[:1] if isinstance(arguments[2], int) and arguments[2] & _WRITING else ()
        elif event in _ONE_PATH:
            paths = arguments[:1]
        elif event in _TWO_PATHS:
            paths = arguments[:2] if event == "os.rename" else arguments[1:2]
        folder = arguments[-1] if event in _REMOVALS and isinstance(arguments[-1], int) else -1
        for path in paths:
            if not isinstance(path, str | bytes):
                continue
            named = os.fsdecode(path) if folder < 0 else f"/proc/self/fd/{folder}/{os.fsdecode(path)}"
            if not self._is_allowed(event, named):
                self.outside.append(f"{event} {path!r}")

    def _is_allowed(self, event: str, path: str) -> bool:
        self._is_on = False  # what follows is no work of the command
        try:
            if path.startswith(_DEVICES):
                return True
            # To remove or rename a link does not touch what it leads to.
            folder, name = os.path.split(path)
            real = os.path.realpath(path) if event in ("open", "os.truncate") else f"{os.path.realpath(folder)}/{name}"
            if real.startswith(_DEVICES):
                return True
            return any(_is_within(real, allowed) for allowed in self._allowed)
        except (OSError, ValueError):
            return True  # no such path can be written
        finally:
            self._is_on = True


def _is_within(path: str, allowed: str) -> bool:
    folder, name = os.path.split(allowed)
    # A file is written beside its place at first, by the name ".STEM.….SUFFIX".
    unfinished = os.path.join(folder, f".{os.path.splitext(name)[0]}.")
    return path == allowed or path.startswith((f"{allowed.rstrip('/')}/", unfinished))
