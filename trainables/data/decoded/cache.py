"""A folder of decoded files: entries that are made once, used by many processes, limited in size, and cleaned.

An entry is a folder with a marker. Nothing without a marker is ever removed. A process that uses an entry holds a lock
on its marker, so that no other one removes it meanwhile.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainables.data.invalid import InvalidData

CACHE_NAME = ".tune-jobs-cache"
MARKER = "tune-jobs-decoded.json"
CACHE_VARIABLE = "TUNE_JOBS_CACHE"
CACHE_BYTES = 50 * 2**30

_FORMAT = 1
_SPARE_BYTES = 2**26
_MOST_MARKER_BYTES = 2**26
_LOG = logging.getLogger(__name__)

_held: dict[Path, int] = {}
"""The descriptors of the markers of entries that this process uses, until it ends."""


def user_cache() -> Path:
    """Return our folder in the user's cache folder; it may not exist.

    Raises:
        RuntimeError: Nobody knows the user's home folder.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "tune-jobs"


def default_cache(data: Path) -> Path:
    """Return the folder for what is decoded of some data: inside the data's folder, or one of the user's.

    Every node that sees the data sees what lies beside them. A folder that cannot be written has its cache where
    TUNE_JOBS_CACHE says, in the user's cache folder, or in the folder for temporary files.

    Args:
        data: The folder of the data.
    """
    if os.access(data, os.W_OK):
        return data / CACHE_NAME
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    of_user = user_cache()
    with suppress(OSError):
        of_user.mkdir(parents=True, exist_ok=True)
        if os.access(of_user, os.W_OK):
            return of_user
    return Path(tempfile.gettempdir(), f"tune-jobs-cache-{os.getuid()}")


@dataclass(frozen=True)
class DecodedCache:
    """A folder of entries.

    Attributes:
        folder: The folder; it is made when it is needed.
        most_bytes: The most that all entries together may take. The least recently used ones are removed first.
    """

    folder: Path
    most_bytes: int = CACHE_BYTES

    def entry(
        self,
        settings: Mapping[str, Any],
        files: list[Any],
        make: Callable[[Path], object],
        expected_bytes: int | None = None,
    ) -> Path:
        """Return the folder of an entry, made by ``make`` unless it is there.

        Args:
            settings: What is decoded, and how. Another entry with these settings is out of date, and is removed.
            files: Names, sizes and times of the files that are decoded.
            make: Writes the files of the entry into a folder.
            expected_bytes: The size of the entry; None: nobody knows it beforehand.

        Raises:
            InvalidData: The entry is larger than the cache may be, or than the disk has room for.
        """
        settings = {**settings, "format": _FORMAT}
        of = _digest(settings)
        folder = self.folder / f"{of}-{_digest(files)}"
        if _use(folder):
            return folder
        self._check_size(expected_bytes)
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(self.folder / f".{folder.name}.lock"):
            if not _use(folder):  # else another process, or thread, has made it meanwhile
                self._make(folder, of, settings, make)
                self._clean(folder)
                _use(folder)
        return folder

    def _check_size(self, expected_bytes: int | None) -> None:
        if expected_bytes is None:
            return
        if expected_bytes > self.most_bytes:
            raise InvalidData(
                [
                    f"The decoded files take {expected_bytes:,} bytes, but the cache {self.folder} may have "
                    f"{self.most_bytes:,}: give a larger cache_bytes, or decode to less."
                ]
            )
        existing = next(parent for parent in (self.folder, *self.folder.absolute().parents) if parent.exists())
        free = shutil.disk_usage(existing).free
        if expected_bytes + _SPARE_BYTES > free:
            self._clean(None, wanted_bytes=expected_bytes)
            free = shutil.disk_usage(existing).free
        if expected_bytes + _SPARE_BYTES > free:
            raise InvalidData(
                [
                    f"The decoded files take {expected_bytes:,} bytes, but the disk of {self.folder} has only {free:,} "
                    "left: give another folder as cache, or decode to less."
                ]
            )

    def _make(self, folder: Path, of: str, settings: Mapping[str, Any], make: Callable[[Path], object]) -> None:
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=self.folder))
        marker = temporary / MARKER
        try:
            with marker.open("w", encoding="utf-8") as lock:
                _lock(lock.fileno(), fcntl.LOCK_EX)
                json.dump({"of": of}, lock)
                lock.flush()
                make(temporary)
                sizes = {path.name: path.stat().st_size for path in temporary.iterdir() if path != marker}
                lock.seek(0)
                lock.truncate()
                json.dump({"of": of, "settings": settings, "sizes": sizes}, lock, default=str)
                lock.flush()
                os.fsync(lock.fileno())
                if folder.exists() and _read_marker(folder) is not None:
                    shutil.rmtree(folder, ignore_errors=True)  # damaged, or its files were changed
                temporary.chmod(0o755)
                temporary.replace(folder)
                # Closing is not enough: a process that `make` has forked, and that lives on, has the file open too.
                _lock(lock.fileno(), fcntl.LOCK_UN)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    def _clean(self, kept: Path | None, wanted_bytes: int = 0) -> None:
        """Remove what is out of date, what was never finished, and the oldest of what is too much."""
        entries = [(folder, marker) for folder in _folders(self.folder) if (marker := _read_marker(folder)) is not None]
        current = None if kept is None else _read_marker(kept)
        left = []
        for folder, marker in entries:
            is_stale = current is not None and folder != kept and marker.get("of") == current.get("of")
            if not (folder.name.startswith(".") or is_stale) or not _remove(folder):
                left.append(folder)
        excess = max(sum(map(_bytes_of, left)) - self.most_bytes, wanted_bytes)
        for folder in sorted(left, key=_last_use_s):
            size = _bytes_of(folder)
            if excess > 0 and folder != kept and _remove(folder):
                excess -= size


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:20]


def _folders(cache: Path) -> list[Path]:
    with suppress(OSError):
        return [entry for entry in cache.iterdir() if entry.is_dir() and not entry.is_symlink()]
    return []


def _read_marker(folder: Path) -> dict[str, Any] | None:
    """Return the content of an entry's marker; None where there is none, so that the folder is not ours."""
    try:
        if not stat.S_ISREG((folder / MARKER).lstat().st_mode):
            return None
        with (folder / MARKER).open("rb") as marker:
            content = json.loads(marker.read(_MOST_MARKER_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _use(folder: Path) -> bool:
    """Hold an entry for the rest of this process, if it is there and whole."""
    content = _read_marker(folder)
    if content is None or folder.is_symlink():
        return False
    sizes, marker = content.get("sizes"), folder / MARKER
    try:
        if not isinstance(sizes, dict) or any((folder / name).stat().st_size != size for name, size in sizes.items()):
            return False
        held = _held.get(folder)
        if held is None or not _is_file(held, marker):  # it may have been removed, and made again by another process
            descriptor = os.open(marker, os.O_RDONLY)
            _lock(descriptor, fcntl.LOCK_SH)
            if not _is_file(descriptor, marker):  # somebody removed it, and this process has waited for that
                os.close(descriptor)
                return False
            _held[folder] = descriptor
        with suppress(OSError):
            os.utime(marker)  # the time of the last use
        return marker.exists()
    except OSError:
        return False


def _remove(folder: Path) -> bool:
    """Remove an entry unless a process uses it."""
    try:
        descriptor = os.open(folder / MARKER, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_file(descriptor, folder / MARKER):
            return False  # another entry has taken its place
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # it is in use, or the file system knows no locks
        return False
    finally:
        os.close(descriptor)
    return not folder.exists()


def _is_file(descriptor: int, path: Path) -> bool:
    """Return whether an open file is the one that has a path now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _last_use_s(folder: Path) -> float:
    with suppress(OSError):
        return (folder / MARKER).stat().st_mtime
    return 0.0  # another process has just removed it


def _bytes_of(folder: Path) -> int:
    with suppress(OSError):
        return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return 0


def _lock(descriptor: int, kind: int) -> None:
    with suppress(OSError):  # some network file systems know no locks: then two processes may do the same work
        fcntl.flock(descriptor, kind)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which is made for that and removed in the end."""
    descriptor = _open_locked(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        _lock(descriptor, fcntl.LOCK_UN)  # a process that was forked meanwhile has the file open, too
        os.close(descriptor)


def _open_locked(path: Path) -> int:
    """Return the locked file of a path. Whoever waited for one that was removed meanwhile takes the one of today.

    Else two could hold a lock each: one that waited for the removed file, and one that made a new file.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _LOG.info("Waiting for another process that decodes the same files into %s", path.parent)
            _lock(descriptor, fcntl.LOCK_EX)
        except OSError:  # the file system knows no locks
            return descriptor
        if _is_file(descriptor, path):
            return descriptor
        os.close(descriptor)
