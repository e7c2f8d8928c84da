"""The temporary folder of a Ray that a run starts: where it lies, how it is known as ours, and when it is removed."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from trainables.storage.own_files import MARK_FILE, has_mark, mark
from tune_jobs.errors import RequestError

TMPDIR_VARIABLE = "RAY_TMPDIR"
_PREFIX, _KIND, _LINK = "tune-jobs-", "temporary folder of Ray", "r"
# As Ray does: the sockets within may have 107 bytes at most, and a TMPDIR is often too long for that.
_SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - mkdtemp makes a folder of our own in it
_SOCKET_BYTES = 107
_PAUSES_S = (0.02, 0.1, 0.2, 0.4, 0.8, 1.5)
_BELOW = "/session_2026-11-29_07-28-19_892834_1234567/sockets/plasma_store"
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")  # Ray takes a folder for the URI of a storage, too


@contextmanager
def ray_folder() -> Iterator[Path]:
    """Make a folder for Ray, whose mark is locked while this process lives, and remove it afterwards.

    It lies in RAY_TMPDIR, or else in /tmp. If its path is too long for sockets, or has letters that Ray would
    misread, a short folder with a link to it is made, and yielded in its place.

    Raises:
        RequestError: There is no folder in which one could be made.
    """
    wanted = os.environ.get(TMPDIR_VARIABLE)
    with ExitStack() as stack:
        if not wanted:
            yield stack.enter_context(_made_in_the_first([*_SHORT_FOLDERS, tempfile.gettempdir()]))
            return
        folder = stack.enter_context(_made_in_the_first([wanted]))
        if not _is_usable(folder):
            short = stack.enter_context(_made_in_the_first(_SHORT_FOLDERS))
            (short / _LINK).symlink_to(folder)
            folder = short / _LINK
        yield folder


@contextmanager
def _made_in_the_first(parents: list[str] | tuple[str, ...]) -> Iterator[Path]:
    """Make a folder in the first of some folders that takes it, and remove it afterwards."""
    for parent in map(os.path.abspath, parents):
        remove_abandoned_folders(Path(parent))
        try:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        except OSError as error:
            refused = error
            continue
        break
    else:
        raise RequestError(
            f"Ray needs a temporary folder, but none can be made in {' or '.join(parents)} ({refused.strerror}): set "
            f"{TMPDIR_VARIABLE} to a folder that can be written."
        )
    try:
        with os.fdopen(mark(folder, _KIND), "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield folder
    finally:
        _remove(folder)


def remove_abandoned_folders(parent: Path) -> None:
    """Remove the folders of drivers that were killed: the kernel has released the locks on their marks.

    A folder without a mark that this program made for it is left alone, whatever its name is.

    Args:
        parent: The folder in which they lie, beside those of others.
    """
    for folder in parent.glob(f"{_PREFIX}*"):
        if not has_mark(folder, _KIND):
            continue
        with suppress(OSError), (folder / MARK_FILE).open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _remove(folder: Path) -> None:
    """Remove a folder into which Ray's agents may still write: they end some moments after Ray.

    What they write meanwhile would stay for ever: the mark by which a later run knows the folder as ours is gone.
    """
    for pause_s in _PAUSES_S:
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(pause_s)


def _is_usable(folder: Path) -> bool:
    return len(os.fsencode(folder)) + len(_BELOW) <= _SOCKET_BYTES and _PLAIN.fullmatch(str(folder)) is not None
