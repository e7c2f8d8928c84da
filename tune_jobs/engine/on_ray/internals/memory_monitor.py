"""A worker that Ray's memory monitor killed is one that died, as any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def oom_kills_count_as_deaths() -> Iterator[None]:
    """Has Ray Tune take the monitor's OutOfMemoryError for a RayActorError, which it can go on after.

    Ray raises it beside RayActorError and RayTaskError, the only two that Ray Tune expects: it ends the whole run
    (ray 2.60: air/execution/_internal/actor_manager.py, _actor_task_failed). That place has no public name; without
    it, all is as in Ray.
    """
    from ray.air.execution._internal import actor_manager
    from ray.exceptions import OutOfMemoryError, RayActorError

    manager: Any = actor_manager.RayActorManager
    name = "_actor_task_failed"
    failed = getattr(manager, name, None)
    if failed is None:
        yield
        return

    def told(self: Any, tracked_actor_task: Any, exception: Exception) -> None:
        if isinstance(exception, OutOfMemoryError):
            death = RayActorError(error_msg=str(exception))
            death.__cause__ = exception
            exception = death
        failed(self, tracked_actor_task=tracked_actor_task, exception=exception)

    setattr(manager, name, told)
    try:
        yield
    finally:
        setattr(manager, name, failed)
