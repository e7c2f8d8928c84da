"""A Ray of this machine alone, started with what a run needs of it and no more.

What is replaced here has no public names (ray 2.60); without them, Ray only starts later and does more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from trainables import KerasTrainable
from tune_jobs.host.background import begun
from tune_jobs.host.capacity import Machine
from tune_jobs.host.signals import held_back

_IMPORTED_BY_WORKERS = "trainables.worker_preload"


@contextmanager
def running(machine: Machine, folder: Path, system_config: dict[str, Any]) -> Iterator[Callable[[], None]]:
    """Begins to start it, and ends it afterwards.

    Args:
        machine: What trials may use.
        folder: Where it writes, and has its sockets.
        system_config: See ``workers_at_start``.

    Yields:
        Waits until it is there; raises why it is not.
    """
    import ray

    with begun(partial(_start, machine, folder, system_config)) as is_there, _trials_use_any_worker():
        try:
            yield is_there
        finally:
            with held_back():
                with suppress(BaseException):  # half of a Ray cannot be ended; why it failed, nobody asks any more
                    is_there()
                ray.shutdown()


def _start(machine: Machine, folder: Path, system_config: dict[str, Any]) -> None:
    import ray

    (node,) = machine.nodes
    with _without_what_nobody_asks():
        ray.init(
            address="local",
            num_cpus=int(node.cpus),
            num_gpus=int(node.gpus),
            _memory=int(node.memory_bytes),
            _system_config=system_config,
            include_dashboard=False,
            logging_level=logging.WARNING,
            _temp_dir=str(folder),
        )


def workers_at_start(machine: Machine, trials: int, trainable: type[KerasTrainable]) -> dict[str, Any]:
    """What Ray is told of the workers that it starts with, one a CPU, before it knows what they are to do.

    Where one of them might have no trial, there are none. Where each will train with Keras, they import it while the
    driver prepares; but a framework reads some of what it is told of its GPUs when it is imported, and only a trial
    knows its share: on a machine with GPUs nothing is imported before.

    Args:
        machine: What trials may use.
        trials: How many will run side by side.
        trainable: What is trained, if it leaves ``step`` to KerasTrainable.
    """
    if trials < machine.cpus:
        return {"prestart_worker_first_driver": False}
    if machine.gpus or trainable.step is not KerasTrainable.step:
        return {}
    return {"preload_python_modules": [_IMPORTED_BY_WORKERS]}


@contextmanager
def _trials_use_any_worker() -> Iterator[None]:
    """Has Ray Tune give trials the workers that are there, instead of starting others for them.

    It declares some of the driver's environment variables for them (tune/execution/class_cache.py). Workers of a Ray
    that this process started have inherited them, but Ray compares declarations.
    """
    from ray.tune.execution import class_cache

    with _replaced(class_cache, DEFAULT_ENV_VARS={}, ENV_VARS_TO_PROPAGATE=frozenset()):
        yield


@contextmanager
def _without_what_nobody_asks() -> Iterator[None]:
    """Leaves out the autoscaler, the dashboard's server, and what its agent does for it: processes of seconds each."""
    from ray._private import node, utils

    no_dashboard = ImportError("There is no dashboard to work for.")
    with (
        _replaced(node.Node, start_monitor=lambda _: None, start_api_server=lambda _, **__: None),
        _replaced(utils, get_dashboard_dependency_error=lambda: no_dashboard),
    ):
        yield


@contextmanager
def _replaced(owner: Any, **values: Any) -> Iterator[None]:
    """Replaces attributes for a while; those that are not there are left alone."""
    with ExitStack() as undone:
        for name, value in values.items():
            if hasattr(owner, name):
                undone.callback(setattr, owner, name, getattr(owner, name))
                setattr(owner, name, value)
        yield
