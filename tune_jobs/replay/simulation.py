"""The replay of a search in a world: the run's own coordinator, with simulated workers on a simulated clock."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables import Data, KerasTrainable
from trainables.report import Epoch
from tune_jobs.base.objective import Objective
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.replay.world import Curve, World
from tune_jobs.results import EpochReported, Event, TrialStarted
from tune_jobs.schedulers import Scheduler
from tune_jobs.searchers import Searcher

_LOSS = "val_loss"


@dataclass
class Replay:
    """The course of a replay.

    Attributes:
        time_s: The simulated time after each trained epoch, in seconds.
        trials: The trial of each trained epoch.
        losses: The loss of each trained epoch; NaN where it diverged.
        configs: The configurations of the trials, by number.
        cpu_s: The CPU time of searcher and scheduler in this process, in seconds.
        proposals: The number of proposals.
    """

    time_s: list[float] = field(default_factory=list)
    trials: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    configs: dict[int, dict[str, Any]] = field(default_factory=dict)
    cpu_s: float = 0.0
    proposals: int = 0

    def best_losses(self) -> NDArray[np.float64]:
        """Return the best loss so far after each trained epoch; infinite before there is one."""
        losses = np.array(self.losses)
        return np.minimum.accumulate(np.where(np.isfinite(losses), losses, math.inf))

    def event(self, event: Event) -> None:
        """Take an event of the run."""
        if isinstance(event, EpochReported):
            self.time_s.append(event.time_s)
            self.trials.append(event.trial)
            self.losses.append(event.metrics[_LOSS])
        elif isinstance(event, TrialStarted):
            self.configs[event.trial] = dict(event.config)

    def traceback(self, trial: int, text: str) -> None:
        """Do nothing: nothing is raised in a replay."""


class _NotTrained(KerasTrainable):
    """A trainable for the declaration; nothing is trained."""

    def build_model(self, config: dict[str, Any]) -> Any:
        raise NotImplementedError

    def load_data(self) -> Data:
        raise NotImplementedError


def replay(
    world: World,
    searcher: Searcher,
    scheduler: Scheduler,
    *,
    epochs: int,
    workers: int = 4,
    seed: int = 0,
    start_s: float = 0.0,
    lessons: Sequence[Event] = (),
) -> Replay:
    """Search a world with a searcher and a scheduler, as a run would.

    Args:
        world: The world.
        searcher: The searcher.
        scheduler: The scheduler.
        epochs: The number of epochs of all trials together after which the replay ends.
        workers: The number of simulated workers.
        seed: The seed of the experiment.
        start_s: The time that a worker needs to start a trial or to continue it, in simulated seconds.
        lessons: The events of a warm start, as in its file in a run's folder.

    Returns:
        The course of the replay. The same arguments give the same course.

    Example:
        >>> import numpy as np
        >>> from search_spaces import Float, SearchSpace
        >>> from tune_jobs import ASHA, Random
        >>> from tune_jobs.replay import Curve, replay
        >>> class Valley:
        ...     name, space, max_epochs = "valley", SearchSpace(x=Float(0.0, 1.0)), 9
        ...     def curve(self, config, trial, seed):
        ...         return Curve((config["x"] - 0.3) ** 2 + 1 / np.arange(1, 10), np.ones(9))
        >>> course = replay(Valley(), Random(), ASHA(), epochs=60, workers=2)
        >>> len(course.losses), bool(course.best_losses()[-1] < 0.2)
        (60, True)
    """
    experiment = Experiment(
        trainable=_NotTrained,
        space=world.space,
        objective=Objective(_LOSS, "min"),
        searcher=searcher,
        scheduler=scheduler,
        max_epochs=world.max_epochs,
        total_epochs=epochs,
        same_failures=10**9,
        seed=seed,
    )
    return _Simulation(world, experiment, workers, start_s, lessons).run()


@dataclass(order=True)
class _EpochEnd:
    time_s: float
    order: int
    trial: int = field(compare=False)
    epoch: int = field(compare=False)


class _Simulation:
    def __init__(
        self, world: World, experiment: Experiment, workers: int, start_s: float, lessons: Sequence[Event]
    ) -> None:
        self._world = world
        self._experiment = experiment
        self._workers = workers
        self._start_s = start_s
        self._now_s = 0.0
        self._course = Replay()
        self._coordinator = Coordinator(experiment, self._course, clock=lambda: self._now_s, lessons=lessons)
        self._curves: dict[int, Curve] = {}
        self._running: list[_EpochEnd] = []
        self._count = 0

    def run(self) -> Replay:
        self._coordinator.begin(cpus=self._workers, gpus=0, max_concurrent_trials=self._workers)
        while True:
            while len(self._running) < self._workers and self._begin_trial():
                pass
            if self._coordinator.is_over or not self._running:
                break
            self._finish_epoch(heapq.heappop(self._running))
        self._coordinator.finish()
        return self._course

    def _begin_trial(self) -> bool:
        """Give a free worker a trial; return whether there was one."""
        begun_s = time.process_time()
        proposal = self._coordinator.propose()
        self._course.cpu_s += time.process_time() - begun_s
        if not isinstance(proposal, tuple):
            return False
        trial, config = proposal
        if trial not in self._curves:
            self._course.proposals += 1
            self._curves[trial] = self._world.curve(config, trial, self._experiment.seed)
        self._coordinator.start(trial, "simulated")
        self._train(trial, self._coordinator.reported_epochs(trial) + 1, self._start_s)
        return True

    def _train(self, trial: int, epoch: int, delay_s: float = 0.0) -> None:
        end_s = self._now_s + delay_s + float(self._curves[trial].seconds[epoch - 1])
        self._count += 1
        heapq.heappush(self._running, _EpochEnd(end_s, self._count, trial, epoch))

    def _finish_epoch(self, end: _EpochEnd) -> None:
        self._now_s = end.time_s
        curve = self._curves[end.trial]
        loss = float(curve.losses[end.epoch - 1])
        # A diverged training has no finite loss of any kind: so a run sees it too.
        epoch = Epoch(end.epoch, {"loss": loss, _LOSS: loss}, float(curve.seconds[end.epoch - 1]))
        begun_s = time.process_time()
        is_over = self._coordinator.report(end.trial, epoch.report(done=end.epoch == self._world.max_epochs))
        self._course.cpu_s += time.process_time() - begun_s
        if not is_over:
            self._train(end.trial, end.epoch + 1)
