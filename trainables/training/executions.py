"""A configuration trained several times side by side, so that luck with the random numbers is averaged out."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from trainables.data import Data
from trainables.internals.global_state import PrivateGlobalState
from trainables.report import Best, Epoch
from trainables.reuse.kept_models import WorkerCache
from trainables.settings import TrialSettings, as_loss, spread_of
from trainables.storage.checkpoint import CheckpointError, Snapshot, numbered
from trainables.training.model import BuildsModels
from trainables.training.training import Training, position


class TrialTraining(Protocol):
    """What a trial trains: one ``Training``, or several ``Executions``. See there."""

    epoch: int
    last: Epoch | None

    @property
    def model(self) -> Any:
        """A compiled Keras model of the configuration."""

    @property
    def ended(self) -> bool:
        """Whether nothing is left to train."""

    def run_epoch(self) -> Epoch:
        """Trains one more epoch, and keeps the weights if it is the best."""

    def end(self) -> None:
        """Ends the work of optimizers and callbacks."""

    def snapshot(self) -> Snapshot:
        """Everything that another process needs to go on."""

    def restore(self, snapshot: Snapshot) -> None:
        """Continues from a snapshot; one that does not fit changes nothing."""

    def retire(self) -> None:
        """Leaves its models to the worker's next trial."""


def begin(
    trainable: BuildsModels,
    config: Mapping[str, Any],
    data: Data,
    settings: TrialSettings,
    trial: int,
    worker: WorkerCache | None = None,
) -> TrialTraining:
    """What a trial trains, as its settings say.

    Raises:
        InvalidTrainable: The model is not compiled, or ``build_model`` returned no model.
    """
    if settings.executions == 1:
        return Training(trainable, config, data, settings, trial, worker=worker)
    return Executions(trainable, config, data, settings, trial, worker)


class Executions:
    """Several trainings of one configuration in lock step, one epoch of each at a time.

    An epoch reports the mean of every metric that all of them report, and the sample standard deviation of the
    objective as ``<metric>_std``: what follows from the reports (ranking, early stopping, search) follows
    from means. An execution that ended itself (EarlyStopping) is not trained further and counts with its
    last epoch: that is the model that "at most so many epochs" leaves. Its best epoch instead would be a maximum over
    noise, chosen for each execution alone, among values that are none. When one diverges, the mean has, and with it
    the trial.

    The best epoch is that of the mean; its weights are those of the execution with the best objective among those
    that were averaged there.

    Attributes:
        trainings: The executions; the first has the random numbers of a trial that has no other.
        epoch: Epochs trained.
        last: What the last epoch reported; its seconds are those of all executions together.
        best: The epoch with the best mean.

    Raises:
        InvalidTrainable: The model is not compiled, or ``build_model`` returned no model.
    """

    def __init__(
        self,
        trainable: BuildsModels,
        config: Mapping[str, Any],
        data: Data,
        settings: TrialSettings,
        trial: int = 0,
        worker: WorkerCache | None = None,
    ) -> None:
        self.settings = settings
        self.epoch = 0
        self.last: Epoch | None = None
        self.best = Best()
        self.trainings: list[Training] = []
        self._global_states = [PrivateGlobalState() for _ in range(settings.executions)]
        # All are made before any is trained: each sets TensorFlow's seed, which begins stateful operations again.
        for execution, own in enumerate(self._global_states):
            with own.active():
                self.trainings.append(Training(trainable, config, data, settings, trial, execution, worker))

    @property
    def model(self) -> Any:
        """The model of the first execution; the others differ in their weights only."""
        return self.trainings[0].model

    @property
    def ended(self) -> bool:
        """Whether nothing is left to train: all have ended, or one diverged."""
        trainings = self.trainings
        return any(training.diverged for training in trainings) or all(training.ended for training in trainings)

    def run_epoch(self) -> Epoch:
        """Trains one more epoch of each execution that has not ended.

        Raises:
            InvalidTrainable: The model does not report the objective.
        """
        seconds = 0.0
        for training, own in zip(self.trainings, self._global_states, strict=True):
            if not training.ended:
                with own.active():
                    seconds += training.train_epoch().seconds
        self.epoch += 1
        reports = [training.last.metrics for training in self.trainings if training.last is not None]
        self.last = Epoch(self.epoch, averaged(reports, self.settings.metric), seconds)
        self.best = self.best.after(self.last, self.settings, lambda: self._leader(reports).model.get_weights())
        return self.last

    def end(self) -> None:
        """Ends the work of all optimizers and callbacks; until now, models have the weights of their last epochs."""
        for training, own in zip(self.trainings, self._global_states, strict=True):
            with own.active():
                training.end()

    def snapshot(self) -> Snapshot:
        """A copy of everything that another process needs to go on; ``best`` is where a single training has it."""
        parts = [training.snapshot() for training in self.trainings]
        state = {
            "epoch": self.epoch,
            "last": self.last and self.last.to_json(),
            "best_epoch": self.best.epoch,
            "best_value": self.best.value,
            "executions": [part.state for part in parts],
        }
        arrays = numbered("best", list(self.best.weights))
        for execution, part in enumerate(parts):
            arrays |= {f"{_prefix(execution)}{name}": array for name, array in part.arrays.items()}
        return Snapshot(state, arrays)

    def restore(self, snapshot: Snapshot) -> None:
        """Continues from a snapshot.

        Raises:
            CheckpointError: It was taken from other models, or another number of them.
        """
        before = [training.snapshot() for training in self.trainings]
        try:
            epoch, last, best = position(snapshot)
            for training, part in zip(self.trainings, _parts(snapshot), strict=True):
                training.restore(part)
        except (KeyError, TypeError, ValueError) as error:
            for training, earlier in zip(self.trainings, before, strict=True):
                training.restore(earlier)
            raise CheckpointError(f"The checkpoint does not fit: {error}") from error
        self.epoch, self.last, self.best = epoch, last, best

    def retire(self) -> None:
        """Leaves its models to the worker's next trial; nothing may go on with this one."""
        for training in self.trainings:
            training.retire()

    def _leader(self, reports: Sequence[Mapping[str, float]]) -> Training:
        """The execution with the best objective, the first of equals."""
        metric = self.settings.metric
        if metric is None:
            return self.trainings[0]
        mode = self.settings.mode
        return self.trainings[min(range(len(reports)), key=lambda execution: as_loss(reports[execution][metric], mode))]


def averaged(reports: Sequence[Mapping[str, float]], objective: str | None) -> dict[str, float]:
    """The mean of every metric that all reports have, and the sample standard deviation of the objective.

    Args:
        reports: Metrics by name, one report an execution; at least two.
        objective: The metric whose spread is reported as ``<objective>_std``; NaN where a value is not finite.
    """
    names = [name for name in reports[0] if all(name in report for report in reports)]
    means = {name: float(statistics.mean(report[name] for report in reports)) for name in names}
    if objective is None:
        return means
    values = [report[objective] for report in reports]
    spread = statistics.stdev(values) if all(map(math.isfinite, values)) else math.nan
    return {**means, spread_of(objective): spread}


def _parts(snapshot: Snapshot) -> list[Snapshot]:
    parts = []
    for execution, state in enumerate(snapshot.state["executions"]):
        prefix = _prefix(execution)
        arrays = {
            name.removeprefix(prefix): array for name, array in snapshot.arrays.items() if name.startswith(prefix)
        }
        parts.append(Snapshot(state, arrays))
    return parts


def _prefix(execution: int) -> str:
    return f"executions/{execution}/"
