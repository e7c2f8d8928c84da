"""A configuration trained several times side by side, so that luck with the random numbers is averaged out."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainables.data import Data
from trainables.internals.global_state import IsolatedGlobalState
from trainables.report import Best, Epoch, diverged_metric
from trainables.reuse.worker_cache import WorkerCache
from trainables.settings import TrialSettings, as_loss, spread_of
from trainables.storage.checkpoint import CheckpointError, Snapshot, numbered
from trainables.training.model import BuildsModels
from trainables.training.progress import progress_of
from trainables.training.training import Training


class Executions:
    """Several trainings of one configuration in lock step, one epoch of each at a time.

    An epoch reports the mean of every metric that all of them report, and the sample standard deviation of the
    objective as ``<metric>_std``. All that follows from reports (ranking, early stopping, search) follows from means.

    An execution that ended itself (EarlyStopping) is not trained further and counts with its last epoch: that is the
    model that "at most so many epochs" leaves. Its best epoch instead would be a maximum over noise, chosen for this
    execution alone, and would stand beside values that are none. When one execution diverges, the mean has diverged,
    and with it the trial.

    The best epoch is that of the mean. Its weights are those of the execution with the best objective among those that
    were averaged there.

    Args:
        trainable: Builds the models, and says how they are fitted.
        config: The configuration of the trial.
        data: The data to train and to validate on.
        settings: The settings of the run; ``executions`` is the number of trainings.
        trial: The number of the trial.
        cache: What the worker kept from earlier trials; None: nothing, and nothing is kept.

    Attributes:
        trainings: The executions; the first has the random numbers of a trial that has no other.
        epoch: Epochs trained.
        last: The measurements of the last epoch; its seconds are those of all executions together.
        best: The epoch with the best mean.

    Raises:
        InvalidTrainable: The model is not compiled, ``build_model`` returned no model, or the weights that
            ``fit_options`` returned do not fit the data.
    """

    def __init__(
        self,
        trainable: BuildsModels,
        config: Mapping[str, Any],
        data: Data,
        settings: TrialSettings,
        trial: int = 0,
        cache: WorkerCache | None = None,
    ) -> None:
        self.settings = settings
        self.epoch = 0
        self.last: Epoch | None = None
        self.best = Best()
        self._best_execution = 0
        self.trainings: list[Training] = []
        self._global_states = [IsolatedGlobalState() for _ in range(settings.executions)]
        # All are made before any is trained: each sets TensorFlow's seed, which restarts stateful operations.
        for execution, global_state in enumerate(self._global_states):
            with global_state.active():
                self.trainings.append(Training(trainable, config, data, settings, trial, execution, cache))

    @property
    def model(self) -> Any:
        """The model of the first execution; the others differ in their weights only."""
        return self.trainings[0].model

    @property
    def measured(self) -> Mapping[str, float]:
        """The measurements of the first execution's model, made before it is trained."""
        return self.trainings[0].measured

    @property
    def ended(self) -> bool:
        """True if nothing is left to train, because all have ended, or one diverged, or their mean did."""
        if self.last is not None and diverged_metric(self.last.metrics, self.settings.metric) is not None:
            return True
        trainings = self.trainings
        return any(training.diverged for training in trainings) or all(training.ended for training in trainings)

    @property
    def unsaved(self) -> list[str]:
        """Parts of the executions that a continued trial would not restore, in words."""
        return self.trainings[0].unsaved

    @property
    def notes(self) -> list[str]:
        """Sentences about how the data is read, for the journal; each of them once a run."""
        return self.trainings[0].notes

    def run_epoch(self) -> Epoch:
        """Train one more epoch of each execution that has not ended.

        Raises:
            InvalidTrainable: The model does not report the objective.
        """
        seconds = 0.0
        for training, global_state in zip(self.trainings, self._global_states, strict=True):
            if not training.ended:
                with global_state.active():
                    seconds += training.train_epoch().seconds
        self.epoch += 1
        reports = [training.last.metrics for training in self.trainings if training.last is not None]
        batches = [training.last.batches for training in self.trainings if training.last is not None]
        self.last = Epoch(self.epoch, average(reports, self.settings.metric), seconds, batches[0])
        self.best = self.best.after(self.last, self.settings, lambda: self._weights_of_leader(reports))
        return self.last

    def end(self) -> None:
        """End the work of all optimizers and callbacks; until now, models have the weights of their last epochs."""
        for training, global_state in zip(self.trainings, self._global_states, strict=True):
            with global_state.active():
                training.end()

    def snapshot(self) -> Snapshot:
        """Return a copy of everything that another process needs to go on.

        Its best weights are where the snapshot of a single training has them.
        """
        parts = [training.snapshot() for training in self.trainings]
        state = {
            "epoch": self.epoch,
            "last": self.last and self.last.to_json(),
            **self.best.to_json(),
            "best_execution": self._best_execution,
            "executions": [part.state for part in parts],
        }
        arrays = numbered("best", list(self.best.weights))
        for execution, part in enumerate(parts):
            arrays |= {f"{_prefix(execution)}{name}": array for name, array in part.arrays.items()}
        return Snapshot(state, arrays)

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from a snapshot; one that does not fit changes nothing.

        Raises:
            CheckpointError: It was taken from other models, or another number of them.
        """
        before = [training.snapshot() for training in self.trainings]
        try:
            epoch, last, best = progress_of(snapshot)
            for training, part in zip(self.trainings, _parts(snapshot), strict=True):
                training.restore(part)
        except (KeyError, TypeError, ValueError) as error:
            for training, earlier in zip(self.trainings, before, strict=True):
                training.restore(earlier)
            raise CheckpointError(f"The checkpoint does not fit: {error}") from error
        self.epoch, self.last, self.best = epoch, last, best
        self._best_execution = int(snapshot.state.get("best_execution", 0))

    def retire(self) -> None:
        """Leave the models to the worker's next trial; these executions must not be used any more."""
        for training in self.trainings:
            training.retire()

    def _weights_of_leader(self, reports: Sequence[Mapping[str, float]]) -> list[np.ndarray]:
        """Return the weights of the execution with the best objective, the first of equals, and remember which it is.

        Layers that were adapted may differ between executions, so that its weights belong to its vocabularies.
        """
        metric, mode = self.settings.metric, self.settings.mode
        leader = 0
        if metric is not None:
            leader = min(range(len(reports)), key=lambda execution: as_loss(reports[execution][metric], mode))
        self._best_execution = leader
        weights: list[np.ndarray] = self.trainings[leader].model.get_weights()
        return weights


def average(reports: Sequence[Mapping[str, float]], objective: str | None) -> dict[str, float]:
    """Return the mean of every metric that all reports have, and the sample standard deviation of the objective.

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
    """Divide a snapshot of executions into those of its trainings."""
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
