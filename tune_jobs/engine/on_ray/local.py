"""A Ray on this machine alone. It starts only the parts that a run needs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from trainables import KerasTrainable
from tune_jobs.engine.on_ray.internals.startup import (
    init_local_ray,
    unused_processes_left_out,
)
from tune_jobs.host.background import in_background
from tune_jobs.host.capacity import Machine
from tune_jobs.host.environment import variables_set
from tune_jobs.host.signals import held_back

_IMPORTED_BY_WORKERS = "trainables.worker_preload"
_LOG = logging.getLogger(__name__)


@contextmanager
def local_ray(machine: Machine, folder: Path, worker_variables: Mapping[str, str]) -> Iterator[Callable[[], None]]:
    """Start Ray in the background, and end it afterwards.

    Args:
        machine: The resources that trials may use.
        folder: The folder that Ray writes into, and has its sockets in.
        worker_variables: Variables for Ray: see ``variables_of_first_workers``.

    Yields:
        A function that waits until Ray has started, and raises the reason if it cannot start.
    """
    import ray

    with (
        variables_set(worker_variables),
        in_background(partial(_start, machine, folder)) as wait_until_started,
    ):
        try:
            yield wait_until_started
        finally:
            with held_back():
                with suppress(
                    BaseException
                ):  # a Ray that started only in part cannot be ended, and its error helps nobody
                    wait_until_started()
                ray.shutdown()


def _start(machine: Machine, folder: Path) -> None:
    (node,) = machine.nodes
    _LOG.info(
        "Starting Ray in %s: %g CPUs, %g GPUs, %d bytes of memory for trials",
        folder,
        node.cpus,
        node.gpus,
        node.memory_bytes,
    )
    begun_s = time.monotonic()
    with unused_processes_left_out():
        init_local_ray(
            folder,
            int(node.memory_bytes),
            num_cpus=int(node.cpus),
            num_gpus=int(node.gpus),
            include_dashboard=False,
            logging_level=logging.WARNING,
        )
    _LOG.info("Ray has started after %.1f s", time.monotonic() - begun_s)


def variables_of_first_workers(machine: Machine, trials: int, trainable: type[KerasTrainable]) -> dict[str, str]:
    """Return the variables that tell Ray how to start its first workers.

    By default Ray starts one worker per CPU, before it knows their work. If fewer trials than CPUs will run, none is
    started. On a machine without GPUs the workers import Keras while the driver loads the data. With GPUs they import
    nothing early: a framework reads some of its GPU settings when it is imported, and only a trial knows its share.

    Args:
        machine: The resources that trials may use.
        trials: The number of trials that will run side by side.
        trainable: The class of the trials. If it has a ``step`` of its own, it need not train with Keras.
    """
    if trials < machine.cpus:
        _LOG.info("No worker is started early: %d trials run side by side on %g CPUs", trials, machine.cpus)
        return {"RAY_prestart_worker_first_driver": "0"}
    if machine.gpus or trainable.step is not KerasTrainable.step:
        _LOG.info("Workers import nothing before their first trial: there are GPUs, or the trainable has its own step")
        return {}
    _LOG.info("Workers import %s before their first trial", _IMPORTED_BY_WORKERS)
    return {"RAY_preload_python_modules": _IMPORTED_BY_WORKERS}
