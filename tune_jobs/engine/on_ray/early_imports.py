"""The import of Keras for the workers of a run that is about to be checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from tune_jobs.engine.on_ray.cluster import is_connected
from tune_jobs.engine.on_ray.warm.client import IN_PROCESS
from tune_jobs.host.worker_source import workers_imported_early


@contextmanager
def imported_before_checks() -> Iterator[None]:
    """Begin it before the block, and end it afterwards, where there is no Ray yet that the run would use."""
    with nullcontext() if is_connected() or IN_PROCESS else workers_imported_early():
        yield
