"""The class of a run's workers, which Ray makes actors of: it holds an instance of the user's class."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray

from trainables.before_ray.sent_class import SentClass, unpack
from trainables.data import Data
from trainables.data.mapped import UnreadableFile, opened
from trainables.devices import prepare as devices
from trainables.exits import described, is_of_the_code, leave_memory
from trainables.keras_trainable import KerasTrainable, train_epoch
from trainables.report import Report
from trainables.settings import InvalidTrainable, TrialSettings

if TYPE_CHECKING:  # the driver imports this module, and no Keras
    from trainables.together import TrainedTogether


class Worker:
    """One worker of a run: it trains one trial after another with an instance of the user's class.

    Only methods of this class are called from outside. It sets no attribute of the user's instance, and reads none.

    Args:
        sent: The user's class.
        data: The data to train on; None: this worker opens it.
        settings: The settings of the run.
    """

    def __init__(self, sent: SentClass, data: Data | None, settings: TrialSettings) -> None:
        self._held: KerasTrainable | None = None
        self._unusable: Report | None = None
        self._settings = settings
        try:
            self._kind = unpack(sent)
            self._data = data and opened(data)
        except UnreadableFile as error:
            self._unusable = Report(done=True, mistake=str(error))
        except BaseException as error:
            if not is_of_the_code(error):
                raise
            self._unusable = Report(done=True, mistake=unpack_problem(error, sent))

    def train(self, config: dict[str, Any] | None = None) -> Report:
        """Train one epoch, and return the report about it.

        Args:
            config: The configuration of the trial that begins with this epoch, with its control values; None: the trial
                of the last epoch goes on.
        """
        if self._unusable is not None:
            return self._unusable
        if self._held is None:
            self._held = self._kind.standalone(config, self._data, self._settings)
            config = None
        return train_epoch(self._held, config)

    def node_id(self) -> str:
        """Return the id of the node. The answer comes when this worker has imported what it needs."""
        return ray.get_runtime_context().get_node_id()

    def cleanup(self) -> None:
        """End the last trial of this worker."""
        if self._held is not None:
            type(self._held).cleanup(self._held)

    def leave(self) -> None:
        """End the last trial of this worker, and its process."""
        self.cleanup()
        leave_memory()
        ray.actor.exit_actor()  # type: ignore[no-untyped-call]


class SharedWorker(Worker):
    """One worker of a run whose trials train together: it has a trial in each of several lanes."""

    _lanes: TrainedTogether | None = None

    def train(self, configs: Mapping[int, dict[str, Any] | None]) -> dict[int, Report]:  # type: ignore[override]
        """Train an epoch in each of some lanes, and return their reports.

        Args:
            configs: The configuration of the trial that begins in each lane; None: the lane's trial goes on.
        """
        if self._unusable is None and self._lanes is None:
            self._lanes = self._begin()
        if self._lanes is None:
            return dict.fromkeys(configs, self._unusable or Report(done=True))
        return self._lanes.train(configs)

    def cleanup(self) -> None:
        """End the trials of all lanes."""
        if self._lanes is not None:
            self._lanes.cleanup()

    def _begin(self) -> TrainedTogether | None:
        try:
            note = devices.prepare(self._settings.cpus, self._settings.gpus)
        except InvalidTrainable as mistake:
            self._unusable = Report(done=True, mistake=str(mistake))
            return None
        from trainables.together import TrainedTogether  # it imports Keras, which is held to its devices only now

        return TrainedTogether(self._kind, self._data, self._settings, [note] if note else [])


def unpack_problem(error: BaseException, sent: SentClass) -> str:
    """Return why this process cannot use a class, and what to do about it.

    Args:
        error: The error that ``unpack`` raised.
        sent: The class.
    """
    worker = f"A worker on the node {platform.node()}"
    if not isinstance(error, ImportError) or error.name is None:
        return f"{worker} cannot load {sent.name}: {described(error)}. It needs the same packages as the driver."
    top = error.name.partition(".")[0]
    origin = f"The driver has it from {sent.folders[top]}" if top in sent.folders else "The driver has it installed"
    here = ", ".join(entry for entry in sys.path if entry and "site-packages" not in Path(entry).parts)
    return (
        f"{worker} cannot import the module {error.name}, which {sent.name} needs ({described(error)}). {origin}; the "
        f"worker looks in {here} and in its installed packages. Add that folder to the PYTHONPATH with which Ray is "
        "started there, or install the package there."
    )
