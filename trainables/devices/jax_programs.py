"""The programs that JAX compiles, kept on disk for other workers and later runs.

JAX compiles a model for each architecture and size of a batch. For a small network that takes seconds, and an epoch
takes hundredths of a second. It can keep compiled programs in a folder, by a key that holds the program, the versions
and the settings. The folder is the user's own: whoever could write into it could have a worker run what he likes.
"""

from __future__ import annotations

import os
import stat
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
    return folder


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
