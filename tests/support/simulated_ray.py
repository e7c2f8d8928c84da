"""Ray Tune's own controller, with workers that are simulated in this process: no Ray is started."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import RayActorError
from ray.train._internal.storage import StorageContext
from ray.tune import PlacementGroupFactory, Trainable
from ray.tune.execution.tune_controller import TuneController

from tests.support.fakes import MemoryEventLog
from trainables.report import Epoch
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.on_ray import bridge
from tune_jobs.engine.on_ray.bridge import (
    CoordinatorCallback,
    CoordinatorSearcher,
    CoordinatorStopper,
    WorkerKeepingScheduler,
)
from tune_jobs.engine.on_ray.internals import trial as lean_trial
from tune_jobs.engine.on_ray.internals.controller import FinalSnapshot
from tune_jobs.experiment.experiment import Experiment


class Declared(Trainable):
    """The class of the trials; no worker makes an object of it."""

    @classmethod
    def default_resource_request(cls, config: dict[str, Any]) -> PlacementGroupFactory:
        return PlacementGroupFactory([{"CPU": 1}])


class Workers:
    """A stand-in for Ray's actor manager. The workers answer at once, in the order in which they were asked.

    Args:
        epochs: The number of epochs of a trial.
        dies: Returns whether a worker dies instead of training, by the trial's configuration.

    Attributes:
        asked: The names of the tasks of all workers, in order.
    """

    num_pending_actors = 0

    def __init__(self, epochs: int, dies: Callable[[dict[str, Any]], bool] = lambda _: False) -> None:
        self._epochs = epochs
        self._dies = dies
        self._events: deque[Callable[[], None]] = deque()
        self._configs: dict[Any, dict[str, Any]] = {}
        self._done: dict[Any, int] = {}
        self._live_actors_to_ray_actors_resources: dict[Any, tuple[Any, Any]] = {}
        self.asked: list[str] = []

    def add_actor(self, kwargs: dict[str, Any], on_start: Any, on_error: Any, **_: Any) -> Any:
        actor = SimpleNamespace(set_on_stop=lambda _: None, set_on_error=lambda _: None, on_error=on_error)
        actor = _Hashable(actor)
        self._live_actors_to_ray_actors_resources[actor] = (object(), None)
        self._begin(actor, kwargs["config"])
        self._events.append(lambda: on_start(actor))
        self.asked.append("start")
        return actor

    def schedule_actor_task(
        self,
        tracked_actor: Any,
        method_name: str,
        args: Any = (),
        on_result: Any = None,
        on_error: Any = None,
        **_: Any,
    ) -> None:
        self.asked.append(method_name)
        if method_name == "reset":
            self._begin(tracked_actor, args[0])
            self._events.append(lambda: on_result(tracked_actor, True))
        elif method_name == "train":
            config = self._configs[tracked_actor]
            if self._dies(config):
                self._events.append(lambda: self._die(tracked_actor, on_error))
            else:
                self._done[tracked_actor] += 1
                self._events.append(lambda: on_result(tracked_actor, self._report(tracked_actor)))

    def next(self, timeout: float | None = None) -> bool:
        if self._events:
            self._events.popleft()()
        return True

    def is_actor_started(self, tracked_actor: Any) -> bool:
        return tracked_actor in self._live_actors_to_ray_actors_resources

    def is_actor_failed(self, tracked_actor: Any) -> bool:
        return False

    def remove_actor(self, tracked_actor: Any, **_: Any) -> bool:
        self._live_actors_to_ray_actors_resources.pop(tracked_actor, None)
        return False

    def clear_actor_task_futures(self, tracked_actor: Any) -> None:
        """Do nothing: all tasks are answered at once."""

    @property
    def num_actor_tasks(self) -> int:
        return len(self._events)

    @property
    def num_live_actors(self) -> int:
        return len(self._live_actors_to_ray_actors_resources)

    def _die(self, actor: Any, task_failed: Callable[[Any, Exception], None]) -> None:
        error = RayActorError(error_msg="The worker was killed.")
        self.remove_actor(actor)
        actor.on_error(actor, error)
        task_failed(actor, error)

    def _begin(self, actor: Any, config: dict[str, Any]) -> None:
        self._configs[actor], self._done[actor] = config, 0

    def _report(self, actor: Any) -> dict[str, Any]:
        epoch = self._done[actor]
        metrics = {"loss": 1 / epoch, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5}
        own = Epoch(epoch, metrics, 0.1).report(done=epoch == self._epochs)
        rays = {"trial_id": "", "training_iteration": epoch, "pid": 1, "node_ip": "", "config": self._configs[actor]}
        return {**own, **rays}


class _Hashable:
    def __init__(self, fields: SimpleNamespace) -> None:
        self.__dict__.update(vars(fields))


class SimulatedRun:
    """A run of an experiment on simulated workers.

    Args:
        experiment: The experiment.
        folder: A folder in which Ray may write.
        workers: The workers.
        patch: Patches Ray for the test.
        side_by_side: The number of trials that run at a time.
    """

    def __init__(
        self, experiment: Experiment, folder: Path, workers: Workers, patch: pytest.MonkeyPatch, side_by_side: int = 2
    ) -> None:
        patch.setenv("TUNE_MAX_PENDING_TRIALS_PG", "1000000")
        patch.setenv("TUNE_GLOBAL_CHECKPOINT_S", "1000000000")
        patch.setattr(lean_trial, "get_trainable_cls", lambda _: Declared)
        patch.setattr(bridge, "WorkerNodes", lambda: SimpleNamespace(name=lambda _: "here"))
        self.workers = workers
        self.log = MemoryEventLog()
        self.coordinator = Coordinator(experiment, self.log)
        self.coordinator.begin(cpus=side_by_side, gpus=0, max_concurrent_trials=side_by_side)
        searcher = CoordinatorSearcher(self.coordinator, lambda: side_by_side)
        storage = StorageContext(str(folder), "simulated")
        searcher.add_configurations([SimpleNamespace(spec={"run": "declared", "storage": storage})])
        self.controller = TuneController(
            search_alg=searcher,
            scheduler=WorkerKeepingScheduler(searcher, lambda: side_by_side),
            stopper=CoordinatorStopper(self.coordinator),
            callbacks=[CoordinatorCallback(self.coordinator)],
            storage=storage,
            reuse_actors=True,
            resource_manager_factory=lambda: SimpleNamespace(),
        )
        self.controller._actor_manager = workers  # type: ignore[assignment]  # noqa: SLF001 - stands in for Ray's
        self.controller.checkpoint = FinalSnapshot(self.controller.checkpoint)  # type: ignore[method-assign]
        updater = self.controller._resource_updater  # noqa: SLF001 - it would ask a real Ray
        patch.setattr(updater, "update_avail_resources", lambda: None)

    def step(self) -> None:
        """Let Ray deal with one event."""
        self.controller.step()

    def events(self, kind: str) -> list[Any]:
        """Return the events of one kind."""
        return [event for event in self.log.events if kind == event.EVENT]
