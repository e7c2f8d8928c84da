"""A trial as Ray's controller knows it, without the work that Ray does for every trial for its own purposes.

For a thousand trials Ray looks their class up a thousand times in a store in another process, asks each worker twice
where it runs, makes a folder each, keeps statistics of every number, and writes failures into files. Here the class is
looked up once, and what is left is what the controller needs to place a trial on a worker. With the patches of
``controller`` a report costs the driver 1.6 to 2.2 ms instead of 9.3 to 21.9 (docs/scale.md).

The overridden methods are public ones of ``ray.tune.experiment.Trial``. Names that are not documented (ray 2.60):

- ``Trial(stub=True)`` is a trial whose class Ray does not look up. Without it Ray does, once a trial.
- ``Trial.temporary_state.ray_actor`` holds the worker. Without it Ray's own method keeps the worker, and asks it where
  it is.
- ``Trial.storage.trial_dir_name`` names the trial's folder, which nobody makes. Without it Ray makes up a name.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.registry import get_trainable_cls

from tune_jobs.engine.decisions.failures import Failure, FailureCause
from tune_jobs.engine.on_ray.errors import worker_failure


class LeanTrials:
    """The factory of the trials of one run.

    Args:
        declared: Ray's declaration of the run: the ``spec`` of its ``Experiment``.
    """

    def __init__(self, declared: Mapping[str, Any]) -> None:
        self._name = declared["run"]
        self._trainable = get_trainable_cls(self._name)  # type: ignore[no-untyped-call]
        self._storage = declared["storage"]

    def make(self, number: int, trial_id: str, config: dict[str, Any]) -> LeanTrial:
        """Make a trial that waits for a worker.

        Args:
            number: The number of the trial in the run.
            trial_id: Ray's name for it. A trial that comes back after its worker died needs another one.
            config: The configuration that the worker gets.
        """
        return LeanTrial(number, trial_id, self._name, self._trainable, self._storage, config)


class LeanTrial(Trial):
    """One trial.

    Args:
        number: The number of the trial in the run.
        trial_id: Ray's name for it.
        name: The trainable's name in Ray's registry.
        trainable: The class of the trainable.
        storage: The folders that Ray would write into.
        config: The configuration that the worker gets.

    Attributes:
        number: The number of the trial in the run.
        worker: The actor that trains the trial; None while there is none.
        death: The reason why the worker died, once it has.
    """

    def __init__(
        self, number: int, trial_id: str, name: str, trainable: type, storage: Any, config: dict[str, Any]
    ) -> None:
        self.number = number
        self.worker: Any = None
        self.death = Failure(FailureCause.OTHER, "The worker died.")
        self._trainable = trainable
        self._last_result: dict[str, Any] = {}
        Trial.__init__(
            self, name, config=config, trial_id=trial_id, storage=storage, trial_name_creator=_id_of, **STUB_OPTION
        )
        if self.storage is not None:
            self.storage.trial_dir_name = trial_id

    def get_trainable_cls(self) -> type:
        """Return the class, which Ray would fetch and unpickle three times a trial."""
        return self._trainable

    def init_local_path(self) -> None:
        """Make no folder: nothing is written into it."""

    def set_ray_actor(self, ray_actor: Any) -> None:
        """Remember the worker. Ray would ask it where it is, for its own tables."""
        self.worker = ray_actor
        state = getattr(self, "temporary_state", None)
        if state is None:
            super().set_ray_actor(ray_actor)  # type: ignore[no-untyped-call]
        else:
            state.ray_actor = ray_actor

    @property
    def last_result(self) -> dict[str, Any]:
        """The newest result."""
        return self._last_result

    def update_last_result(self, result: dict[str, Any]) -> None:
        """Remember what the controller looks at between two results. Ray would keep statistics of every number."""
        self._last_result = result

    def handle_error(self, exc: Exception | None = None) -> None:
        """Remember why the worker died. Ray would write two files."""
        if exc is not None:
            self.death = worker_failure(exc)

    def should_recover(self) -> bool:
        """Return False: the coordinator proposes the trial again. Ray would retry some deaths by itself."""
        return False

    def get_json_state(self) -> tuple[str, str]:
        """Return nothing: a run is restored from its journal."""
        return "{}", "{}"


def _id_of(trial: Trial) -> str:
    return trial.trial_id


STUB_OPTION: dict[str, Any] = {"stub": True} if "stub" in inspect.signature(Trial.__init__).parameters else {}
