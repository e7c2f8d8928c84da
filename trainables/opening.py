"""The data of a worker: what cannot be sent to it, it opens for itself, and it keeps what its trials make of it."""

from __future__ import annotations

import platform
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trainables.data import Data, InvalidData
from trainables.data.kinds import Kind, kind_of
from trainables.exits import described, is_of_the_code
from trainables.settings import InvalidTrainable, TrialSettings

if TYPE_CHECKING:  # a driver that only opens data needs no Keras
    from trainables.reuse.worker_cache import WorkerCache


class WorkerData:
    """The data of a worker, opened once, with everything that its trials keep of it for later ones.

    Args:
        data: The data; None: this worker opens it, when its first trial is built.
    """

    def __init__(self, data: Data | None) -> None:
        self._data = data
        self._cache: WorkerCache | None = None

    def opened(self, trainable: Any, settings: TrialSettings) -> Data:
        """Return the data, opened by an instance of the user's class if nobody has done so.

        Raises:
            InvalidTrainable: It cannot be opened: see ``opened_data``.
        """
        if self._data is None:
            self._data = opened_data(trainable, settings)
        return self._data

    def cache_of(self, data: Data, *, keeps_models: bool, executions: int) -> WorkerCache:
        """Return what trials have kept of some data, which is the worker's own, or cut for its devices."""
        from trainables.reuse.worker_cache import WorkerCache

        if self._cache is None or self._cache.inputs.data is not data:
            self._cache = WorkerCache(data, keeps_models=keeps_models, executions=executions)
        return self._cache


def opened_data(trainable: Any, settings: TrialSettings) -> Data:
    """Return the data that a worker opens for all of its trials, without the test split.

    All workers open it with the same seed: what ``load_data`` shuffles without a seed of its own is the same in all.

    Args:
        trainable: The instance of the user's class.
        settings: The settings of the run.

    Raises:
        InvalidTrainable: ``load_data`` raised, or returned something else than ``Data``. The message names the node.
    """
    from trainables.internals.tensorflow_seed import set_random_seed

    set_random_seed(settings.seed)
    name = type(trainable).__name__
    try:
        data = trainable.load_data()
        if not isinstance(data, Data):
            raise InvalidData(
                [f"{name}.load_data returned a {type(data).__name__}, but must return trainables.Data(…)."]
            )
        if any(kind_of(split) is Kind.RAY for split in data.splits.values()) and not trainable.data_cpus:
            raise InvalidData([f"it is a ray.data.Dataset, whose tasks need CPUs: set data_cpus = 1 in {name}."])
        return replace(data, test=None).part(settings.fraction)
    except InvalidData as error:
        raise InvalidTrainable(_sentence(" ".join(error.problems))) from error
    except BaseException as error:
        if not is_of_the_code(error):
            raise
        raise InvalidTrainable(_sentence(f"{name}.load_data raised {described(error)}")) from error


def _sentence(reason: str) -> str:
    return f"A worker on the node {platform.node()} cannot open the data: {reason}"
