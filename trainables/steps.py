"""The training of a trial in steps that are no epochs of Keras: folds, or whatever code of the user's own returns."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from trainables.report import Best, Epoch, diverged_metric
from trainables.settings import TrialSettings
from trainables.storage.checkpoint import CheckpointError, Snapshot, numbered
from trainables.training.progress import progress_of


class OwnStep(NamedTuple):
    """One step of a trial's own code.

    Attributes:
        metrics: The metrics of the step.
        is_last: True if no step follows.
    """

    metrics: Mapping[str, float]
    is_last: bool


class OwnCode(Protocol):
    """Code that trains a trial in steps of its own."""

    @property
    def model(self) -> Any:
        """The Keras model that was trained; None if there is none."""

    def steps(self) -> Iterator[OwnStep]:
        """Yield the metrics after each step."""

    def weights(self) -> list[np.ndarray]:
        """Return the best weights so far; none if there are none."""


class OwnTraining:
    """A training whose steps are those of the user's own code. It cannot be continued: it begins again.

    Args:
        code: The code.
        settings: The settings of the run.

    Attributes:
        epoch: The number of steps.
        last: The last step; None before there is one.
        best: The best step.
    """

    def __init__(self, code: OwnCode, settings: TrialSettings) -> None:
        self.epoch = 0
        self.last: Epoch | None = None
        self.best = Best()
        self._code = code
        self._settings = settings
        self._steps: Iterator[OwnStep] | None = None
        self._is_over = False

    @property
    def model(self) -> Any:
        """The Keras model, or something that says that it cannot be described."""
        return self._code.model if self._code.model is not None else _NoModel()

    @property
    def measured(self) -> Mapping[str, float]:
        """Nothing: the model comes into being while it is trained."""
        return {}

    @property
    def ended(self) -> bool:
        """True if no step is left."""
        return self._is_over

    @property
    def unsaved(self) -> list[str]:
        """Nothing: the whole trial begins again."""
        return []

    @property
    def notes(self) -> list[str]:
        """Nothing: the code has its data."""
        return []

    def run_epoch(self) -> Epoch:
        """Return the next step."""
        start_s = time.perf_counter()
        if self._steps is None:
            self._steps = self._code.steps()
        step = next(self._steps)
        self.epoch += 1
        self.last = Epoch(self.epoch, dict(step.metrics), time.perf_counter() - start_s)
        self.best = self.best.after(self.last, self._settings, self._code.weights)
        self._is_over = step.is_last or diverged_metric(self.last.metrics, self._settings.metric) is not None
        return self.last

    def end(self) -> None:
        """End code that is still running."""
        if isinstance(self._steps, Generator):
            self._steps.close()

    def snapshot(self) -> Snapshot:
        """Return how far the trial has come, and its best weights."""
        state = {
            "epoch": self.epoch,
            "last": self.last and self.last.to_json(),
            **self.best.to_json(),
            "is_over": self._is_over,
        }
        return Snapshot(state, numbered("best", list(self.best.weights)))

    def restore(self, snapshot: Snapshot) -> None:
        """Take in a trial that was over.

        Raises:
            CheckpointError: It was not: it begins again.
        """
        if not snapshot.state.get("is_over"):
            raise CheckpointError("The trial is trained by code of its own, which cannot go on in the middle.")
        self.epoch, self.last, self.best = progress_of(snapshot)
        self._is_over = True

    def retire(self) -> None:
        """Let go of everything."""
        self._steps = None


class _NoModel:
    """Stands for a model where there is none."""

    def to_json(self) -> str:
        """Raise an error, because there is no model to describe."""
        raise NotImplementedError


def last_marked(metrics: Sequence[Mapping[str, float]]) -> Iterator[OwnStep]:
    """Yield steps, of which the last one says so."""
    for index, one in enumerate(metrics):
        yield OwnStep(one, index == len(metrics) - 1)
