"""Files that are ours to make: opened without following links, written whole, and removed only if they are ours.

A folder that this program makes among the things of others gets a mark: a file that says what it is, who made it, and
for which folder. What has no valid mark of ours is never removed, whatever its name is.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

MARK_FILE = ".made-by-tune-jobs"
SECOND_NAME = "it is a second name (a hard link) of a file elsewhere, which would be written to as well"
_MAKER = "tune-jobs"
_MOST_BYTES = 4096
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class NotOurs(OSError):  # noqa: N818 - what is there, as a person says it
    """Something is in the place of a file of ours that this program did not make: a link, a folder or a device."""


def open_own(path: Path, flags: int) -> int:
    """Open a file that is ours to make, and make it if it is missing. No link is followed, and nothing is emptied.

    Args:
        path: The file.
        flags: The flags of ``os.open``, such as ``os.O_RDWR | os.O_APPEND``.

    Returns:
        The descriptor, which child processes do not inherit.

    Raises:
        NotOurs: A link, a folder, a pipe or a device is in its place; or it is to be appended to, and has another
            name elsewhere.
        OSError: The file system refuses.
    """
    problem = place_problem(path)
    if problem is not None:
        raise NotOurs(errno.EEXIST, problem, str(path))
    # A pipe that comes in this moment would keep this process waiting, hence O_NONBLOCK. Files ignore it.
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise NotOurs(errno.EEXIST, "it is no file", str(path))
    if flags & os.O_APPEND and status.st_nlink > 1:  # the other one may be a stranger's
        os.close(descriptor)
        raise NotOurs(errno.EEXIST, SECOND_NAME, str(path))
    return descriptor


def second_name_problem(path: Path) -> str | None:
    """Return why nothing may be appended to a file that has another name elsewhere; None if it has none.

    Args:
        path: The place of the file.
    """
    try:
        status = path.lstat()
    except OSError:
        return None
    return SECOND_NAME if stat.S_ISREG(status.st_mode) and status.st_nlink > 1 else None


def place_problem(path: Path, *, is_folder: bool = False) -> str | None:
    """Return what is in the place of a file or folder of ours and is none; None if it can be used, or made.

    Args:
        path: The place.
        is_folder: Whether a folder of ours belongs there, and not a file.
    """
    try:
        mode = path.lstat().st_mode
    except OSError:  # it is missing, or the attempt to make it tells why it cannot be made
        return None
    if stat.S_ISLNK(mode):
        return f"it is a link, to {path.readlink()}"
    if is_folder:
        return None if stat.S_ISDIR(mode) else "it is no folder"
    if stat.S_ISDIR(mode):
        return "it is a folder"
    return None if stat.S_ISREG(mode) else "it is a pipe or a device"


def write_own(path: Path, content: bytes) -> None:
    """Write a file of ours whole, or replace it.

    Args:
        path: The file.
        content: The content to write.

    Raises:
        NotOurs: A link, a folder, a pipe or a device is in its place.
        OSError: The file system refuses; the file is as it was.
    """
    problem = place_problem(path)
    if problem is not None:
        raise NotOurs(errno.EEXIST, problem, str(path))
    descriptor, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        unfinished.chmod(0o666 & ~current_umask())  # mkstemp's files are for their owner alone
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def current_umask() -> int:
    """Return the bits that new files of this process do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def is_own_kind(path: Path, *, is_folder: bool = False) -> bool:
    """Return whether a file (or a folder) is there, and is no link."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) if is_folder else stat.S_ISREG(mode)


def remove_own(folder: Path, names: Iterable[str]) -> None:
    """Remove files of ours from a folder, then the folder, unless it holds something else. Links are left alone.

    Args:
        folder: The folder.
        names: The names of the files, in the order in which they are removed.
    """
    if not is_own_kind(folder, is_folder=True):
        return
    for name in names:
        if is_own_kind(folder / name):
            with suppress(OSError):
                (folder / name).unlink()
    with suppress(OSError):
        folder.rmdir()


def mark(folder: Path, kind: str) -> int:
    """Mark a folder that this process has just made.

    Args:
        folder: The folder.
        kind: The kind of folder, in a few words.

    Returns:
        The descriptor of the mark, which can be locked. The caller closes it.

    Raises:
        OSError: The file system refuses.
    """
    content = {
        "made_by": _MAKER,
        "kind": kind,
        "owner": os.getuid(),
        "process": _process_identity(os.getpid()),
        "folder": [folder.name, folder.lstat().st_ino],
    }
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(folder / MARK_FILE, flags, 0o600)
    os.write(descriptor, json.dumps(content).encode())
    return descriptor


def has_mark(folder: Path, kind: str) -> bool:
    """Return whether this program made a folder of this kind, for this user.

    A mark that was copied into another folder, or whose owner is somebody else, is none.

    Args:
        folder: The folder.
        kind: The kind, as ``mark`` was given it.
    """
    content = _read_mark(folder)
    try:
        status = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.getuid() == content.get("owner")
        and (content.get("made_by"), content.get("kind")) == (_MAKER, kind)
        and content.get("folder") == [folder.name, status.st_ino]
    )


def maker_is_alive(folder: Path) -> bool:
    """Return whether the process that marked a folder still runs on this machine."""
    process = _read_mark(folder).get("process")
    return isinstance(process, list) and len(process) == 3 and process == _process_identity(process[0])


def is_made_here(folder: Path) -> bool:
    """Return whether this process marked a folder."""
    return _read_mark(folder).get("process") == _process_identity(os.getpid())


def _read_mark(folder: Path) -> dict[str, Any]:
    try:
        descriptor = os.open(folder / MARK_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return {}
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid():
            return {}
        content = json.loads(os.read(descriptor, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    finally:
        os.close(descriptor)
    return content if isinstance(content, dict) else {}


def _process_identity(pid: object) -> list[Any] | None:
    """Return what tells a process from all others, also after a restart of the machine; None if there is none."""
    try:
        # The name of the process, in parentheses, may hold anything.
        started = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
        boot = _BOOT_ID.read_text().strip()
    except (OSError, IndexError):
        return None
    return [pid, started, boot]
