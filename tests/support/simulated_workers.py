"""Workers that are simulated in this process, for the loop of a run: no Ray is started."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from tests.support.fakes import MemoryEventLog, worker_death
from trainables.report import Epoch
from trainables.settings import TRIAL_KEY, unwrap
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.on_ray.loop import Loop
from tune_jobs.engine.on_ray.workers import Answer, Ready
from tune_jobs.experiment.experiment import Experiment


class SimulatedWorker:
    """A worker on a node of its own, unless the test says which.

    Attributes:
        gpus: Its GPUs.
        node: The id of its node.
        config: The configuration of its trial.
        epoch: The last epoch of the trial.
        is_alive: Whether it answers.
    """

    def __init__(self, gpus: float, node: str) -> None:
        self.gpus = gpus
        self.node = node
        self.config: dict[str, Any] = {}
        self.epoch = 0
        self.is_alive = True


class SimulatedWorkers:
    """Workers that answer at once, in the order in which they were asked.

    Args:
        epochs: The number of epochs of a trial.
        dies: Returns whether a worker dies instead of training, by the trial's configuration.
        node: Returns the node of the next worker, by the node that it avoids.

    Attributes:
        asked: What all workers were asked for, in order: start, begin, train, leave and kill.
        started: All workers.
        waited_s: How long the run waited for those that leave.
        hangs: Whether they train without an end.
        stillborn: Whether they die before they are ready.
        gpu_memory: The GPU memory that each epoch reports; None: it was not measured.
        configs: The configuration of each trial that was begun, in order, with its control values.
    """

    def __init__(
        self,
        epochs: int,
        dies: Callable[[dict[str, Any]], bool] = lambda _: False,
        node: Callable[[str], str] = lambda _: "here",
    ) -> None:
        self._epochs = epochs
        self._dies = dies
        self._node = node
        self._answers: deque[tuple[SimulatedWorker, Answer]] = deque()
        self.asked: list[str] = []
        self.started: list[SimulatedWorker] = []
        self.waited_s: list[float] = []
        self.hangs = self.stillborn = False
        self.gpu_memory: dict[str, int] | None = None
        self.configs: list[dict[str, Any]] = []

    def start(self, gpus: float, avoided_node: str = "") -> SimulatedWorker:
        self.asked.append("start")
        worker = SimulatedWorker(gpus, self._node(avoided_node))
        self.started.append(worker)
        if self.stillborn:
            self._die(worker)
        else:
            self._answers.append((worker, Ready(worker.node, f"node {worker.node}")))
        return worker

    def train(self, worker: SimulatedWorker, config: dict[str, Any] | None = None) -> None:
        self.asked.append("train" if config is None else "begin")
        if config is not None:
            worker.config, worker.epoch = config, unwrap(config)[1].reported
            self.configs.append(config)
        if self._dies(worker.config):
            self._die(worker)
        elif not self.hangs:
            worker.epoch += 1
            epoch = worker.epoch
            metrics = {"loss": 1 / epoch, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5}
            report = Epoch(epoch, metrics, 0.1).report(done=epoch == self._epochs, gpu_memory=self.gpu_memory)
            self._answers.append((worker, report))

    def answers(self, timeout_s: float) -> list[tuple[SimulatedWorker, Answer]]:
        return [self._answers.popleft()] if self._answers else []

    def end(self, trial: int) -> None:
        """Let the worker of a trial report its end."""
        (worker,) = [worker for worker in self.alive if worker.config.get(TRIAL_KEY) == trial]
        worker.epoch += 1
        self._answers.append((worker, Epoch(worker.epoch, {"val_accuracy": 0.5}, 0.1).report(done=True)))

    def kill(self, worker: SimulatedWorker) -> None:
        self.asked.append("kill")
        if worker.is_alive:
            self._die(worker)

    def leave(self, worker: SimulatedWorker) -> None:
        self.asked.append("leave")
        worker.is_alive = False

    def wait_until_left(self, timeout_s: float) -> None:
        self.waited_s.append(timeout_s)

    def _die(self, worker: SimulatedWorker) -> None:
        worker.is_alive = False
        self._answers.append((worker, worker_death("The worker was killed.")))

    @property
    def alive(self) -> list[SimulatedWorker]:
        return [worker for worker in self.started if worker.is_alive]


class SimulatedRun:
    """A run of an experiment on simulated workers.

    Args:
        experiment: The experiment.
        workers: The workers.
        slots: The number of trials that run at a time; the test may change it.
        options: Further arguments of ``Loop``; ``node_gpus``, the class ``loop``, and the coordinator's
            ``clock``.
    """

    def __init__(self, experiment: Experiment, workers: SimulatedWorkers, slots: int = 2, **options: Any) -> None:
        self.workers = workers
        self.slots = slots
        self.log = MemoryEventLog()
        self.coordinator = Coordinator(experiment, self.log, options.pop("clock", None))
        self.coordinator.begin(cpus=slots, gpus=options.pop("node_gpus", 0), max_concurrent_trials=slots)
        gpus = experiment.resources.first_gpus
        loop = options.pop("loop", Loop)
        self.loop: Loop = loop(self.coordinator, workers, lambda: self.slots, gpus, **options)

    def step(self) -> None:
        """Let the loop take one answer."""
        self.loop.step()

    def whole(self) -> SimulatedRun:
        """Run to the end."""
        for _ in range(10_000):
            if self.loop.is_finished:
                return self
            self.step()
        raise AssertionError("it does not end")

    def events(self, kind: str) -> list[Any]:
        """Return the events of one kind."""
        return [event for event in self.log.events if kind == event.EVENT]
