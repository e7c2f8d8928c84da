"""Files that a person names or that lie in a run's folder: something else may stand in their place, such as a pipe."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def is_file(path: Path) -> bool:
    """Return whether a path is that of a plain file. A name that no file can have is not."""
    mode = _mode(path)
    return mode is not None and stat.S_ISREG(mode)


def is_folder(path: Path) -> bool:
    """Return whether a path is that of a folder. A name that no folder can have is not."""
    mode = _mode(path)
    return mode is not None and stat.S_ISDIR(mode)


def exists(path: Path) -> bool:
    """Return whether there is anything at a path. A name that nothing can have is the name of nothing."""
    return _mode(path) is not None


def name_problem(path: Path) -> str | None:
    """Return why nothing can have a path, such as "File name too long"; None if something can."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except OSError as error:
        return error.strerror
    except ValueError as error:  # a NUL, or half of a surrogate pair
        return str(error)
    return None


def plain_file(path: str, flags: int) -> int:
    """Open a plain file, as the ``opener`` of ``open``.

    A pipe would keep whoever opens it waiting, and a device may have no end.

    Args:
        path: The path.
        flags: The flags of ``os.open``.

    Raises:
        OSError: Something else than a file has this path. The error's ``strerror`` says what.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - open gives an opener the path as it got it
    except FileNotFoundError:
        mode = stat.S_IFREG
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, but must be a file", path)
    return os.open(path, flags | os.O_NONBLOCK, 0o666)


def beginning(path: Path, most_bytes: int) -> bytes:
    """Return the first bytes of a plain file; none if it cannot be read, or is something else."""
    with suppress(OSError), open(path, "rb", opener=plain_file) as file:
        return file.read(most_bytes)
    return b""


def read_file(path: Path, most_bytes: int) -> bytes:
    """Return the content of a plain file.

    Args:
        path: The file. One that is mostly a hole would need more memory than there is.
        most_bytes: The most bytes that such a file has.

    Raises:
        OSError: It cannot be read, is something else than a file, or is larger. The error's ``strerror`` says what.
    """
    with open(path, "rb", opener=plain_file) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {most_bytes:,} bytes", str(path))
    return content


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return None
