"""A run without Ray: simulated workers, which train by a formula, on a clock of their own."""

from __future__ import annotations

import heapq
import math
from typing import Any

from tests.support.fakes import MemoryEventLog
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import Event, History, fold


class Simulation:
    """Workers that train by a formula, and an event heap instead of waiting."""

    def __init__(self, declared: Experiment, workers: int = 2, epoch_s: float = 1.0) -> None:
        self.now_s = 0.0
        self.log = MemoryEventLog()
        self.experiment = declared
        self.workers = workers
        self.epoch_s = epoch_s
        self.coordinator = Coordinator(declared, self.log, clock=lambda: self.now_s)
        self.most_at_once = 0

    def value(self, trial: int, epoch: int, config: dict[str, Any]) -> float:
        return config["x"] * (1 - math.exp(-epoch))

    def result(self, trial: int, epoch: int, config: dict[str, Any]) -> dict[str, Any]:
        value = self.value(trial, epoch, config)
        done = epoch == self.experiment.max_epochs
        return {"epoch": epoch, "metrics": {"val_accuracy": value}, "seconds": self.epoch_s, "done": done}

    def run(self, earlier: list[Event] | None = None) -> Simulation:
        """Runs to the end. After earlier events, each trial goes on from a checkpoint of its last reported epoch."""
        coordinator = self.coordinator
        self.log.events = list(earlier or [])
        reached = {number: max(trial.epochs, default=1) for number, trial in fold(earlier or []).trials.items()}
        coordinator.replay(earlier or [])
        coordinator.begin(cpus=2, gpus=0, max_concurrent_trials=self.workers)
        heap: list[tuple[float, int, int, dict[str, Any]]] = []
        exhausted = False
        while True:
            while not exhausted and len(heap) < self.workers:
                proposal = coordinator.propose()
                if proposal is None:
                    exhausted = coordinator.is_idle  # else a trial may come back
                    break
                if not isinstance(proposal, tuple):
                    break
                trial, config = proposal
                coordinator.start(trial, "here")
                epoch = reached.get(trial, 1)
                heapq.heappush(heap, (self.now_s + self.epoch_s * (1 + trial % 3), trial, epoch, config))
                self.most_at_once = max(self.most_at_once, len(heap))
            if coordinator.is_over or not heap:
                break
            self.now_s, trial, epoch, config = heapq.heappop(heap)
            reached[trial] = max(epoch, reached.get(trial, 0))
            if not coordinator.report(trial, self.result(trial, epoch, config)):
                heapq.heappush(heap, (self.now_s + self.epoch_s * (1 + trial % 3), trial, epoch + 1, config))
        coordinator.finish()
        return self

    @property
    def history(self) -> History:
        return fold(self.log.events)
