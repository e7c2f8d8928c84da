"""The programs that JAX compiles, kept on disk for other workers and later runs.

JAX compiles a model for each architecture and size of a batch. For a small network that takes seconds, and an epoch
takes hundredths of a second. It can keep compiled programs in a folder, by a key that holds the program, the versions
and the settings. The folder is the user's own: whoever could write into it could have a worker run what he likes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from trainables.data.decoded.cache import user_cache

_MOST_BYTES = 256 * 2**20  # a program of a small network takes some 50 KB; the least recently used ones go first
_SETTINGS = {
    "jax_compilation_cache_max_size": _MOST_BYTES,
    "jax_persistent_cache_min_compile_time_secs": 0.0,  # small networks have several programs of less than a second
    "jax_persistent_cache_min_entry_size_bytes": -1,
}
_MOST_WAITING_S = 120.0  # for another worker's compiler, which may have been stopped
_own: list[Path] = []
"""The folder in which this process lets JAX keep programs: one, or none."""


def keep_compiled_programs() -> Path | None:
    """Let JAX keep the programs that it compiles, unless the user has told it where, or told it not to.

    Returns:
        The folder; None where JAX keeps them as the user said, or nowhere.
    """
    config: Any = import_module("jax").config
    if config.jax_compilation_cache_dir is not None or not config.jax_enable_compilation_cache:
        return None
    folder = _own_folder()
    if folder is None:
        return None
    for name, value in _SETTINGS.items():
        config.update(name, value)
    config.update("jax_compilation_cache_dir", str(folder))
    _own[:] = [folder]
    return folder


@contextmanager
def one_at_a_time(text: Callable[[], str]) -> Iterator[None]:
    """Let no two workers compile the same program at once: the second finds in the folder what the first has compiled.

    Args:
        text: A function that returns the program. It is not called where nothing is kept.
    """
    if not _own:
        yield
        return
    digest = hashlib.sha256(text().encode()).hexdigest()
    lock = None
    with suppress(OSError):  # two compile it, as without a lock
        lock = os.open(_own[0] / f"{digest[:2]}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _wait_for(lock)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)  # and with it the lock goes, as it does when a process dies


def _wait_for(lock: int) -> None:
    end_s = time.monotonic() + _MOST_WAITING_S
    while time.monotonic() < end_s:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return


def _own_folder() -> Path | None:
    """Return the folder in the user's cache folder; None where it cannot be made, or others could write into it."""
    try:
        folder = user_cache() / "jax"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except (OSError, RuntimeError):  # RuntimeError: nobody knows the home folder
        return None
    is_own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    is_private = not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return folder if is_own and is_private and os.access(folder, os.W_OK) else None
