"""A secret of this user on this machine, with which a run is marked as begun here.

The secret never leaves its file. A folder that came from elsewhere cannot hold a mark that was made with it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import platform
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_KEY_BYTES = 32
_FOLDER = "tune-jobs"
_FILE = "key"
_MACHINE_ID = Path("/etc/machine-id")
_SHARED = Path("/var/tmp")  # noqa: S108 - for a user without a home; the folder there must be this user's alone


def mark(text: str) -> str | None:
    """Return a mark that only this user can make on this machine; None if no file for the secret can be made.

    Args:
        text: The text that is marked.
    """
    key = next(filter(None, (_read(folder) or _make(folder) for folder in _folders())), None)
    return None if key is None else _marked(key, text)


def is_marked(text: str, given: object) -> bool:
    """Return whether a mark of a text was made by this user on this machine. Nothing is written.

    Args:
        text: The text.
        given: The mark, from a file that anybody may have written.
    """
    if not isinstance(given, str) or not given.isascii():
        return False
    return any(hmac.compare_digest(_marked(key, text), given) for key in filter(None, map(_read, _folders())))


def _marked(key: bytes, text: str) -> str:
    message = "\0".join([_machine(), str(os.getuid()), text])
    return hmac.new(key, message.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _machine() -> str:
    with suppress(OSError, ValueError):
        if identity := _MACHINE_ID.read_text(encoding="ascii").strip():
            return identity
    return platform.node()


def _folders() -> Iterator[Path]:
    """Yield the folders in which the secret may lie, the one for this user's state first."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if state.is_absolute():
        yield state / _FOLDER
    else:
        with suppress(RuntimeError):  # no home is known
            home = Path.home()
            if home.is_absolute() and home.is_dir():
                yield home / ".local" / "state" / _FOLDER
    yield _SHARED / f"{_FOLDER}-{os.getuid()}"


def _read(folder: Path) -> bytes | None:
    """Return the secret in a folder; None unless folder and file are this user's alone."""
    try:
        if not _is_private(folder.lstat(), stat.S_IFDIR):
            return None
        descriptor = os.open(folder / _FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not _is_private(os.fstat(descriptor), stat.S_IFREG):
                return None
            key = file.read(_KEY_BYTES + 1)
    except OSError:
        return None
    return key if len(key) == _KEY_BYTES else None


def _is_private(found: os.stat_result, kind: int) -> bool:
    return stat.S_IFMT(found.st_mode) == kind and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _make(folder: Path) -> bytes | None:
    """Return a new secret, or the one that another process has just made; None if it cannot be made."""
    unfinished = folder / f".{_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        folder.mkdir(mode=0o700, parents=folder.parent != _SHARED, exist_ok=True)
        if not _is_private(folder.lstat(), stat.S_IFDIR):
            return None
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
            with suppress(FileExistsError):
                os.link(unfinished, folder / _FILE)
        finally:
            unfinished.unlink()
    except OSError:
        return None
    return _read(folder)
