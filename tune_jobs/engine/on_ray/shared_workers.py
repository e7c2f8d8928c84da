"""Workers in whose processes several trials train together: to the loop, each lane of such a process is a worker."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tune_jobs.engine.decisions.failures import Failure
from tune_jobs.engine.on_ray.workers import Answer, RayWorkers, Ready


@dataclass(eq=False)
class Lane:
    """A lane of a process, which is a worker to the loop.

    Attributes:
        process: The process.
        number: Its number in the process.
    """

    process: _Process = field(repr=False)
    number: int


@dataclass(eq=False)
class _Process:
    """A process with its lanes.

    Attributes:
        worker: The worker of Ray.
        gpus: Its GPUs.
        avoids: The node that it gets only if no other has room.
        lanes: Its lanes, by number.
        wanted: What lanes want to train next, by their numbers: a configuration, or None for the trial that they have.
        training: The numbers of the lanes that train now; None: no call is under way.
        ready: Its answer when it was ready; None: it is not.
    """

    worker: Any
    gpus: float
    avoids: str
    lanes: dict[int, Lane] = field(default_factory=dict)
    wanted: dict[int, dict[str, Any] | None] = field(default_factory=dict)
    training: tuple[int, ...] | None = None
    ready: Ready | None = None


class SharedWorkers:
    """The workers of a run, each a lane of a process that holds several.

    The lanes of a process train an epoch each in one call. A call begins when the loop has taken all answers of the one
    before, and asks for the next ones: by then, each lane either has something to train, or is free.

    Args:
        workers: The processes: their class is a ``SharedWorker``.
        lanes: The number of lanes of a process.
    """

    def __init__(self, workers: RayWorkers, lanes: int) -> None:
        self._workers = workers
        self._lanes = lanes
        self._processes: dict[Any, _Process] = {}
        self._ready: deque[tuple[Lane, Answer]] = deque()

    def start(self, gpus: float, avoided_node: str = "") -> Lane:
        """Start a lane, in a process that has room, or in a new one. Its first answer says that it is ready.

        Args:
            gpus: The GPUs of the process.
            avoided_node: The id of a node that a new process gets only if no other has room.
        """
        process = next((each for each in self._processes.values() if self._has_room(each, gpus, avoided_node)), None)
        if process is None:
            process = _Process(self._workers.start(gpus, avoided_node), gpus, avoided_node)
            self._processes[process.worker] = process
        number = next(number for number in range(self._lanes) if number not in process.lanes)
        lane = process.lanes[number] = Lane(process, number)
        if process.ready is not None:
            self._ready.append((lane, process.ready))
        return lane

    def train(self, worker: Lane, config: dict[str, Any] | None = None) -> None:
        """Let a lane train one epoch.

        Args:
            worker: The lane.
            config: The configuration of the trial that begins; None: the lane's trial goes on.
        """
        worker.process.wanted[worker.number] = config

    def answers(self, timeout_s: float) -> list[tuple[Lane, Answer]]:
        """Let all processes train what their lanes want, wait for an answer of any, and return all that have come.

        Args:
            timeout_s: The longest wait, in seconds.
        """
        for process in self._processes.values():
            if process.wanted and process.training is None:
                configs, process.wanted = dict(sorted(process.wanted.items())), {}
                process.training = tuple(configs)
                self._workers.train(process.worker, configs)  # type: ignore[arg-type]
        came = list(self._ready)
        self._ready.clear()
        for worker, answer in self._workers.answers(0 if came else timeout_s):
            if worker in self._processes:
                came += self._answers_of(self._processes[worker], answer)
        return came

    def kill(self, worker: Lane) -> None:
        """End a lane at once: the process of one that trains, which is the end of its other lanes, too."""
        process = worker.process
        if process.training is not None and worker.number in process.training:
            self._workers.kill(process.worker)
        else:
            self._remove(worker, kill=True)

    def mates(self, worker: Lane) -> tuple[Lane, ...]:
        """Return the lanes of the same process, this one included."""
        return tuple(worker.process.lanes.values())

    def leave(self, worker: Lane) -> None:
        """Let a lane end whose trial has ended. With its last lane, the process ends its trials, and itself."""
        self._remove(worker, kill=False)

    def wait_until_left(self, timeout_s: float) -> None:
        """Wait for processes that are leaving, and kill those that take longer.

        Args:
            timeout_s: The longest wait, in seconds.
        """
        self._workers.wait_until_left(timeout_s)

    def _has_room(self, process: _Process, gpus: float, avoided_node: str) -> bool:
        is_alike = process.gpus == gpus and avoided_node in ("", process.avoids)
        return is_alike and len(process.lanes) < self._lanes

    def _answers_of(self, process: _Process, answer: Any) -> list[tuple[Lane, Answer]]:
        """Return what the answer of a process is to each of its lanes."""
        if isinstance(answer, Ready):
            process.ready = answer
            return [(lane, answer) for lane in process.lanes.values()]
        trained, process.training = process.training or (), None
        if isinstance(answer, Failure):
            return self._lost(process, answer, trained)
        reports: Mapping[int, Any] = answer
        return [(process.lanes[number], reports[number]) for number in trained if number in process.lanes]

    def _lost(self, process: _Process, failure: Failure, trained: tuple[int, ...]) -> list[tuple[Lane, Answer]]:
        """Return the loss of a process for each of its lanes.

        It is held against the only one that has a trial; against the first lane if none has one; and against nobody if
        several have one.
        """
        del self._processes[process.worker]
        self._workers.kill(process.worker)  # its code may have raised where it could not report it
        suspects = list({*trained, *process.wanted} or {min(process.lanes)})
        shared = replace(failure, is_shared=True)
        return [(lane, failure if [number] == suspects else shared) for number, lane in process.lanes.items()]

    def _remove(self, lane: Lane, *, kill: bool) -> None:
        process = lane.process
        process.lanes.pop(lane.number, None)
        process.wanted.pop(lane.number, None)
        self._ready = deque((other, answer) for other, answer in self._ready if other is not lane)
        if not process.lanes and process.worker in self._processes:
            del self._processes[process.worker]
            (self._workers.kill if kill else self._workers.leave)(process.worker)
