"""The import of Keras for workers, begun before a command knows its experiment: it takes seconds, on another CPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def workers_imported_early() -> Iterator[None]:
    """Begin to import Keras in the process that this command's workers will be forked from, and end it afterwards.

    Nothing is begun where the workers of a run would not be forked from it: on a cluster, with GPUs, and where a Ray is
    kept warm. Nor where there is one CPU, because then it would delay the message about a mistake.
    """
    from tune_jobs.host.capacity import this_machine
    from tune_jobs.host.warm_socket import is_kept_warm
    from tune_jobs.host.worker_source import begun_early

    machine = this_machine()
    joins = os.environ.get("RAY_ADDRESS", "local") not in ("", "local")
    if joins or machine.gpus or machine.cpus == 1 or is_kept_warm():
        yield
        return
    from trainables.tensorflow_log import QUIET_TENSORFLOW

    with begun_early({**QUIET_TENSORFLOW, **os.environ}):
        yield
