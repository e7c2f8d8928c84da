"""A trial as Ray's controller knows it, without what Ray does for every trial of its own.

A thousand trials look up their class a thousand times in a store in another process, ask their workers twice where
they run, make a folder, keep statistics of every number and write failures into files. Here, the class is looked up
once, and what is left is what the controller needs to place a trial on a worker. The methods are public ones of
`ray.tune.experiment.Trial` (ray 2.60); one that Ray no longer has is no longer called, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.registry import get_trainable_cls

from tune_jobs.engine.decisions.failures import Failure, FailureCause
from tune_jobs.engine.on_ray.errors import worker_failure


class LeanTrials:
    """Makes the trials of one run.

    Args:
        declared: What Ray knows of the run: the ``spec`` of its ``Experiment``.
    """

    def __init__(self, declared: Mapping[str, Any]) -> None:
        self._name = declared["run"]
        self._trainable = get_trainable_cls(self._name)  # type: ignore[no-untyped-call]
        self._storage = declared["storage"]
        self._made = 0

    def make(self, number: int, config: dict[str, Any]) -> LeanTrial:
        """A trial that waits for a worker; one that comes back after its worker died is another to Ray."""
        self._made += 1
        return LeanTrial(number, f"{number}-{self._made}", self._name, self._trainable, self._storage, config)


def number_of(trial_id: str) -> int:
    """The number that the run knows a trial by, from the name that Ray knows it by."""
    return int(trial_id.partition("-")[0])


class LeanTrial(Trial):
    """One trial.

    Args:
        number: See the attribute.
        trial_id: What Ray is to know it by.
        name: The trainable's name in Ray's registry.
        trainable: Its class.
        storage: Where Ray keeps what it writes.
        config: What the worker gets.

    Attributes:
        number: What the run knows it by.
        death: Why its worker died, once it has.
    """

    def __init__(
        self, number: int, trial_id: str, name: str, trainable: type, storage: Any, config: dict[str, Any]
    ) -> None:
        self.number = number
        self.death = Failure(FailureCause.OTHER, "The worker died.")
        self._trainable = trainable
        storage = copy(storage)
        storage.trial_dir_name = trial_id
        # A stub is one whose class Ray does not look up.
        Trial.__init__(self, name, config=config, trial_id=trial_id, storage=storage, stub=True)
        self.custom_trial_name = trial_id

    def get_trainable_cls(self) -> type:
        """The class, which Ray would fetch and unpickle three times a trial."""
        return self._trainable

    def init_local_path(self) -> None:
        """No folder: nothing is written into it."""

    def set_ray_actor(self, ray_actor: Any) -> None:
        """Remembers the worker; Ray would ask it where it is, for its own tables."""
        self.temporary_state.ray_actor = ray_actor

    def update_last_result(self, result: dict[str, Any]) -> None:
        """Remembers what the controller looks at between two results; Ray would keep statistics of every number."""
        self.run_metadata.last_result = result

    def handle_error(self, exc: Exception | None = None) -> None:
        """Remember why the worker died. Ray would write two files, and retry some trials by itself."""
        self.run_metadata.num_failures += 1
        if exc is not None:
            self.death = worker_failure(exc)

    def get_json_state(self) -> tuple[str, str]:
        """Nothing: a run is restored from its journal."""
        return "{}", "{}"
