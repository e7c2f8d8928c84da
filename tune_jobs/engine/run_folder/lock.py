"""One driver a run: a lock that goes with the process that holds it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tune_jobs.errors import RequestError
from tune_jobs.results.layout import LOCK_FILE


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps a run's folder for this process. The kernel lets go of the lock when the process ends, however it ends.

    Raises:
        RequestError: Another process has it.
    """
    with (folder / LOCK_FILE).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RequestError(
                f"Another process is working on the run {folder.name}: wait until it has ended, or end it."
            ) from error
        yield
