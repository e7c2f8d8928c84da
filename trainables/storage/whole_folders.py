"""Folders that are written beside their final place, and moved there when they are whole."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from trainables.storage.own_files import (
    MARK_FILE,
    NotOurs,
    current_umask,
    has_mark,
    is_made_here,
    maker_is_alive,
    mark,
    place_problem,
    remove_own,
)

_KIND = "unfinished checkpoint"


@contextmanager
def whole_folder(final: Path, names: Sequence[str]) -> Iterator[Path]:
    """Yield a folder to write files into, and move it to its place afterwards.

    Files of ours in that place are replaced. What others have put there stays. If the block raises, nothing is left.

    Args:
        final: The folder's place. The folder that it lies in is made when it is missing.
        names: The names of the files, in the order in which they are moved where the folder cannot be moved as one.

    Raises:
        NotOurs: A link or a file is in the place of a folder.
        OSError: The disk refuses.
    """
    for place in (final.parent, final):
        if (problem := place_problem(place, is_folder=True)) is not None:
            raise NotOurs(errno.EEXIST, problem, str(place))
    final.parent.mkdir(exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
    try:
        unfinished.chmod(0o777 & ~current_umask())  # mkdtemp's folders are for their owner alone
        os.close(mark(unfinished, _KIND))
        yield unfinished
        remove_own(final, names)
        _move(unfinished, final, names)
        (final / MARK_FILE).unlink(missing_ok=True)
    except Exception:
        shutil.rmtree(unfinished, ignore_errors=True)  # on a full disk, half a folder takes space that others need
        raise


def remove_abandoned(folder: Path, prefix: str, names: Sequence[str]) -> None:
    """Remove what processes left that died while they wrote. A folder without a mark of ours is somebody else's.

    Args:
        folder: The folder in which they wrote. One process writes into it at a time.
        prefix: The beginning of the names of the final folders.
        names: The names of the files.
    """
    for unfinished in folder.glob(f".{prefix}*"):
        if has_mark(unfinished, _KIND) and (is_made_here(unfinished) or not maker_is_alive(unfinished)):
            remove_own(unfinished, (*names, MARK_FILE))


def _move(unfinished: Path, final: Path, names: Sequence[str]) -> None:
    try:
        unfinished.replace(final)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        for name in names:  # somebody's files lie there
            (unfinished / name).replace(final / name)
        (unfinished / MARK_FILE).unlink()
        unfinished.rmdir()
