"""Patches of Ray Tune's controller: it forgets trials that ended, keeps idle workers, and survives the memory monitor.

Ray's controller remembers all trials for its own reports, snapshots and restoring. A run here uses none of them: the
journal has it all.

Private names (ray 2.60: tune/execution/tune_controller.py, air/execution/_internal/actor_manager.py):

- ``TuneController._live_trials``, ``_stopped_trials``, ``_failed_trials``, ``_trials_to_cache``, ``_trial_metadata``
  and ``_trial_to_actor`` let trials be forgotten: of 2,000 trials the driver keeps 0.8 KB each instead of 75, and the
  last report costs what the first did (docs/scale.md). Without them Ray remembers all trials.
- ``TuneController.checkpoint`` is replaced, so that Ray does not work out at every event where a snapshot would lie:
  that was a tenth of its work. Without it Ray does.
- ``TuneController._actor_cache`` lets idle workers wait for the next trial. Without it Ray keeps one of them, and each
  other trial waits for a new worker, with imports that take seconds.
- ``RayActorManager._actor_task_failed`` is wrapped, so that Ray Tune takes the death of a worker that the memory
  monitor killed for a death like any other. Without it Ray Tune ends the whole run, which can be resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# Ray reads these in a result after the callbacks: which trial it is of, and whether the trial is over.
_READ_BY_RAY = frozenset({"trial_id", "done", "training_iteration", "node_ip", "pid"})
TRIAL_COLLECTIONS = ("_live_trials", "_stopped_trials", "_failed_trials", "_trials_to_cache")
TRIAL_METADATA = "_trial_metadata"
WORKERS_OF_TRIALS = "_trial_to_actor"
IDLE_WORKERS = "_actor_cache"
TASK_FAILED = "_actor_task_failed"


class ControllerPatches:
    """The patches of the controller of one run."""

    def __init__(self) -> None:
        self._resources: dict[Any, Any] = {}
        self._ended: list[tuple[Any, Any]] = []
        self._idle_workers = 0

    def share_resources(self, trial: Any) -> None:
        """Give trials with equal resource requests one request object.

        Ray looks the requests up in dictionaries. Objects that are equal, but not the same, it compares field by field,
        dozens of times a trial.
        """
        own = trial.placement_group_factory
        trial.placement_group_factory = self._resources.setdefault(own, own)

    def keep_idle_workers(self, controller: Any, trial: Any, count: int) -> None:
        """Let Ray keep a number of idle workers that have the resources of a trial."""
        idle_workers = getattr(controller, IDLE_WORKERS, None)
        if idle_workers is not None:
            idle_workers.increase_max(trial.placement_group_factory, count - self._idle_workers)
            self._idle_workers = count

    def before_end(self, controller: Any, trial: Any) -> None:
        """Remember that a trial is about to end; leave out the controller's snapshots from now on."""
        write = getattr(controller, "checkpoint", None)
        if write is not None and not isinstance(write, FinalSnapshot):
            controller.checkpoint = FinalSnapshot(write)
        self._ended.append((controller, trial))

    def forget_ended(self) -> None:
        """Let go of the trials that have ended. Call it between two of Ray's events."""
        if self._ended:
            self._ended = [(controller, trial) for controller, trial in self._ended if not _forget(controller, trial)]


class FinalSnapshot:
    """The controller's method that writes a snapshot of all trials, reduced to the one that Ray forces at its end.

    Ray reads that last snapshot when its work is done.

    Args:
        write: Ray's own method.
    """

    def __init__(self, write: Callable[..., None]) -> None:
        self._write = write

    def __call__(self, force: bool = False, wait: bool = False) -> None:
        """Write the snapshot if Ray forces it."""
        if force:
            self._write(force=force, wait=wait)

    def __getstate__(self) -> dict[str, Any]:
        """Return nothing: the snapshot holds the controller's attributes, and this is one of them."""
        return {}


def keep_what_ray_reads(result: dict[str, Any]) -> None:
    """Remove everything that Ray does not read after the callbacks: Ray keeps statistics of every number."""
    for name in result.keys() - _READ_BY_RAY:
        del result[name]


@contextmanager
def oom_kills_count_as_deaths() -> Iterator[None]:
    """Turn the memory monitor's ``OutOfMemoryError`` into a ``RayActorError``, which Ray Tune survives.

    Ray raises ``OutOfMemoryError`` beside ``RayActorError`` and ``RayTaskError``, the only two that Ray Tune expects.
    """
    from ray.exceptions import OutOfMemoryError, RayActorError

    manager = _actor_manager()
    failed = getattr(manager, TASK_FAILED, None)
    if failed is None:
        yield
        return

    def task_failed(self: Any, tracked_actor_task: Any, exception: Exception) -> None:
        if isinstance(exception, OutOfMemoryError):
            death = RayActorError(error_msg=str(exception))
            death.__cause__ = exception  # the coordinator learns the cause from its type
            exception = death
        failed(self, tracked_actor_task=tracked_actor_task, exception=exception)

    setattr(manager, TASK_FAILED, task_failed)
    try:
        yield
    finally:
        setattr(manager, TASK_FAILED, failed)


def _actor_manager() -> Any:
    try:
        from ray.air.execution._internal.actor_manager import RayActorManager
    except ImportError:
        return None
    return RayActorManager


def _forget(controller: Any, trial: Any) -> bool:
    """Let go of a trial that has ended and has no worker; return whether it has."""
    if not trial.is_finished() or trial in getattr(controller, WORKERS_OF_TRIALS, ()):
        return False
    for name in TRIAL_COLLECTIONS:
        getattr(controller, name, set()).discard(trial)
    getattr(controller, TRIAL_METADATA, {}).pop(trial.trial_id, None)
    trials = controller.get_trials()
    if trial in trials:
        trials.remove(trial)
    return True
