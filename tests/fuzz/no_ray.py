"""A driver without Ray: it does all that a driver does before Ray is needed, and is interrupted then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def leave_ray_out() -> None:
    """Let runs in this process load their data and replay their journals, and end before the first trial."""
    from trainables.worker import pack
    from tune_jobs.engine import driver
    from tune_jobs.engine.on_ray import cluster

    @contextmanager
    def no_session(machine: Any, variables: Any) -> Iterator[Callable[[], Path]]:
        yield lambda: Path()

    def no_trainable(experiment: Any, data: Any, trials: str, *, shares_vary: bool) -> Any:
        pack(experiment.trainable)

    def no_trials(trainable: Any, coordinator: Any, slots: Any, scratch: Path) -> None:
        coordinator.propose()
        coordinator.interrupt()

    def no_cluster(address: str) -> None:
        from tune_jobs.errors import RequestError

        raise RequestError(f"There is no cluster at {address}: none is asked here.")

    driver.ray_session = no_session
    driver.trainable_for_ray = no_trainable
    driver.tune_trials = no_trials
    cluster.join = no_cluster
