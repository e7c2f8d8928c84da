"""A Ray on this machine alone. It starts only the parts that a run needs."""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from trainables import KerasTrainable
from tune_jobs.engine.on_ray.internals.startup import (
    init_local_ray,
    python_replaced,
    reread_variables,
    unused_processes_left_out,
)
from tune_jobs.engine.on_ray.warm.client import Lease
from tune_jobs.host import fork_server
from tune_jobs.host.background import in_background
from tune_jobs.host.capacity import Machine
from tune_jobs.host.environment import variables_set
from tune_jobs.host.signals import held_back
from tune_jobs.host.worker_source import WorkerSource, take_early

PRELOADED = {"RAY_preload_python_modules": fork_server.PRELOADED}
_LOG = logging.getLogger(__name__)


@contextmanager
def worker_source(worker_variables: Mapping[str, str]) -> Iterator[WorkerSource]:
    """Start the process that workers are forked from; end it afterwards.

    Args:
        worker_variables: Variables for Ray, which its workers inherit.
    """
    # Ray sets the first one for a Ray of its own, and reads it when it is imported.
    environment = {"RAY_AUTH_MODE": "token", **os.environ, **worker_variables}
    source = take_early(environment) or WorkerSource(environment)
    try:
        yield source
        if _LOG.isEnabledFor(logging.INFO):
            refusal = source.refusal() or "all of them"
            _LOG.info("Workers were forked from the process %d: %s", source.process_id, refusal)
    finally:
        source.close()


@contextmanager
def local_ray(
    machine: Machine, folder: Path, worker_variables: Mapping[str, str], source: WorkerSource | None = None
) -> Iterator[Callable[[], None]]:
    """Start Ray in the background, and end it afterwards.

    Args:
        machine: The resources that trials may use.
        folder: The folder that Ray writes into, and has its sockets in.
        worker_variables: Variables for Ray: see ``variables_of_first_workers``.
        source: The process that workers are forked from; None: each is started by itself.

    Yields:
        A function that waits until Ray has started, and raises the reason if it cannot start.
    """
    import ray

    with (
        variables_set(worker_variables),
        in_background(partial(_start, machine, folder, source)) as wait_until_started,
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


@contextmanager
def warm_ray(lease: Lease) -> Iterator[Callable[[], None]]:
    """Connect to a Ray that is kept warm, in the background, and leave it afterwards.

    Args:
        lease: The right to use it.

    Yields:
        A function that waits until this process is connected, and raises the reason if it cannot be.
    """
    import ray

    def connect() -> None:
        lease.prepare(os.environ, Path.cwd())
        reread_variables()
        ray.init(address=lease.address, logging_level=logging.WARNING)

    # Ray turns this on for a Ray that it starts, and not for one that it connects to.
    mode = {} if os.environ.get("RAY_AUTH_MODE") else {"RAY_AUTH_MODE": "token"}
    with (
        variables_set(mode),
        in_background(connect) as wait_until_started,
    ):
        try:
            yield wait_until_started
        finally:
            with held_back():
                with suppress(BaseException):
                    wait_until_started()
                ray.shutdown()


def _program(source: WorkerSource | None) -> Path | None:
    """Return the program that Ray is to start instead of Python; None if it is to start Python."""
    if source is None:
        return None
    try:
        return source.listen()
    except (OSError, subprocess.SubprocessError) as error:
        _LOG.info("Workers are not forked: %s", error)
        return None


def _start(machine: Machine, folder: Path, source: WorkerSource | None) -> None:
    (node,) = machine.nodes
    _LOG.info(
        "Starting Ray in %s: %g CPUs, %g GPUs, %d bytes of memory for trials",
        folder,
        node.cpus,
        node.gpus,
        node.memory_bytes,
    )
    begun_s = time.monotonic()
    with unused_processes_left_out(), python_replaced(_program(source)):
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
    started. On a machine without GPUs workers have imported Keras before they are given a trial. With GPUs they import
    nothing early: a framework reads some of its GPU settings when it is imported, and only a trial knows its share.

    Args:
        machine: The resources that trials may use.
        trials: The number of trials that will run side by side.
        trainable: The class of the trials. If it has a ``step`` of its own, it need not train with Keras.
    """
    early: dict[str, str] = {}
    if trials < machine.cpus:
        _LOG.info("No worker is started early: %d trials run side by side on %g CPUs", trials, machine.cpus)
        early = {"RAY_prestart_worker_first_driver": "0"}
    if machine.gpus or trainable.step is not KerasTrainable.step:
        _LOG.info("Workers import nothing before their first trial: there are GPUs, or the trainable has its own step")
        return early
    _LOG.info("Workers import %s before their first trial", fork_server.PRELOADED)
    return {**PRELOADED, **early}
