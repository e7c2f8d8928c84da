"""Many workers in a few processes: their trials sleep through their epochs, and cost the driver what real ones do.

A machine has no memory for 512 processes with a worker each. Here a process holds many workers, which sleep side by
side. The driver's part is the real one: it makes the same calls of Ray's actors, and gets the same reports.
"""

from __future__ import annotations

import asyncio
from functools import partial
from types import SimpleNamespace
from typing import Any

import ray

from trainables.before_ray.sent_class import unpack
from tune_jobs.engine.on_ray.workers import ActorWorker, RayWorkers

PROCESSES = 2


class Crowd:
    """The workers of one process."""

    def __init__(self, sent: Any, data: Any, settings: Any) -> None:
        self._kind, self._data, self._settings = unpack(sent), data, settings
        self._held: dict[int, tuple[Any, float]] = {}

    async def node_id(self, worker: int) -> str:
        """Return the id of the node."""
        return ray.get_runtime_context().get_node_id()

    async def train(self, worker: int, config: dict[str, Any] | None = None) -> Any:
        """Sleep through an epoch, and report it."""
        if config is not None:
            sleep_s = config.pop("sleep_s", 0.0)
            self._held[worker] = self._kind.standalone(config, self._data, self._settings), sleep_s
        trial, sleep_s = self._held[worker]
        await asyncio.sleep(sleep_s)
        return trial.step()

    async def leave(self, worker: int) -> None:
        """End a worker."""
        self._held.pop(worker, None)


class CrowdWorkers(RayWorkers):
    """The workers of a run, many in a process. See ``RayWorkers``."""

    def start(self, gpus: float, avoided_node: str = "") -> ActorWorker:
        """Start a worker in one of the processes."""
        if not hasattr(self, "_processes"):
            kind: Any = ray.remote(Crowd).options(num_cpus=0, max_concurrency=1000)
            self._processes = [kind.remote(*self._arguments) for _ in range(PROCESSES)]
            self._count = 0
        process, number = self._processes[self._count % PROCESSES], self._count
        self._count += 1
        calls = {
            name: SimpleNamespace(remote=partial(getattr(process, name).remote, number))
            for name in ("node_id", "train", "leave")
        }
        worker = ActorWorker(SimpleNamespace(**calls))
        self._expect(worker, worker.actor.node_id.remote())
        return worker

    def kill(self, worker: ActorWorker) -> None:
        """Do nothing: the process holds other workers, too."""
