"""Processes with several lanes that are simulated in this one, for the loop of a run: no Ray is started."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from tests.support.fakes import worker_death
from trainables.report import Epoch
from trainables.settings import TRIAL_KEY, unwrap
from tune_jobs.engine.on_ray.workers import Answer, Ready


class SimulatedProcess:
    """A process, with the configuration and the last epoch of each of its lanes."""

    def __init__(self) -> None:
        self.configs: dict[int, dict[str, Any]] = {}
        self.epochs: dict[int, int] = {}
        self.is_alive = True


class SimulatedProcesses:
    """Processes that answer at once, in the order in which they were asked.

    Args:
        epochs: The number of epochs of a trial.
        dies: Returns whether a process dies instead of training, by the numbers of the trials that it is asked for.

    Attributes:
        started: All processes.
        calls: The numbers of the trials of each call that trained.
        stillborn: The number of processes that die before they are ready.
        hangs: Returns whether a call never ends, by the numbers of its trials.
    """

    def __init__(self, epochs: int, dies: Callable[[list[int]], bool] = lambda _: False) -> None:
        self._epochs = epochs
        self._dies = dies
        self._answers: deque[tuple[SimulatedProcess, Any]] = deque()
        self.started: list[SimulatedProcess] = []
        self.calls: list[list[int]] = []
        self.stillborn = 0
        self.hangs: Callable[[list[int]], bool] = lambda _: False

    @property
    def alive(self) -> list[SimulatedProcess]:
        return [process for process in self.started if process.is_alive]

    def start(self, gpus: float, avoided_node: str = "") -> SimulatedProcess:
        process = SimulatedProcess()
        self.started.append(process)
        if self.stillborn:
            self.stillborn -= 1
            self._answers.append((process, worker_death("It was killed.")))
        else:
            self._answers.append((process, Ready("here", "node here")))
        return process

    def train(self, process: SimulatedProcess, configs: dict[int, dict[str, Any] | None]) -> None:
        for lane, config in configs.items():
            if config is not None:
                process.configs[lane], process.epochs[lane] = config, unwrap(config)[1].reported
        trials = [process.configs[lane][TRIAL_KEY] for lane in configs]
        if self.hangs(trials):
            return
        if self._dies(trials):
            self._die(process)
            return
        self.calls.append(trials)
        reports = {}
        for lane in configs:
            process.epochs[lane] += 1
            epoch = process.epochs[lane]
            metrics = {"loss": 1 / epoch, "val_loss": 1.0, "val_accuracy": 0.5}
            reports[lane] = Epoch(epoch, metrics, 0.1).report(done=epoch == self._epochs)
        self._answers.append((process, reports))

    def answers(self, timeout_s: float) -> list[tuple[SimulatedProcess, Answer]]:
        return [self._answers.popleft()] if self._answers else []

    def kill(self, process: SimulatedProcess) -> None:
        if process.is_alive:
            self._die(process)

    def leave(self, process: SimulatedProcess) -> None:
        process.is_alive = False

    def wait_until_left(self, timeout_s: float) -> None:
        pass

    def _die(self, process: SimulatedProcess) -> None:
        process.is_alive = False
        self._answers.append((process, worker_death("It was killed.")))
