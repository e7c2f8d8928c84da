"""A trial of a search and its metrics by epoch, in the form in which KerasTuner has them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trainables.settings import Mode
from tune_jobs.base.objective import Objective
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.objective import implied_direction
from tune_jobs.results import Status

_LESS: Mode = "min"


@dataclass
class MetricObservation:
    """The value of a metric after an epoch.

    Attributes:
        value: The values, one for each execution that was recorded by itself.
        step: The epoch, from 0.
    """

    value: list[float]
    step: int

    def mean(self) -> float:
        """Return the mean of the values."""
        return statistics.fmean(self.value)


@dataclass
class MetricHistory:
    """The values of one metric.

    Attributes:
        direction: "max" if more is better, "min" if less is.
    """

    direction: Mode = _LESS
    _values: dict[int, MetricObservation] = field(default_factory=dict)

    def update(self, value: float, step: int) -> None:
        """Add a value.

        Args:
            value: The value.
            step: The epoch, from 0.
        """
        self._values.setdefault(step, MetricObservation([], step)).value.append(float(value))

    def get_history(self) -> list[MetricObservation]:
        """Return the observations in the order of the epochs."""
        return sorted(self._values.values(), key=lambda one: one.step)

    def get_best_value(self) -> float | None:
        """Return the best value; None without a finite one."""
        best = self._best()
        return None if best is None else best.mean()

    def get_best_step(self) -> int | None:
        """Return the epoch with the best value, from 0; None without a finite one."""
        best = self._best()
        return None if best is None else best.step

    def get_last_value(self) -> float | None:
        """Return the value of the last epoch; None without one."""
        history = self.get_history()
        return history[-1].mean() if history else None

    def get_statistics(self) -> dict[str, float]:
        """Return the smallest and largest value, their mean, median, variance and standard deviation."""
        values = [one.mean() for one in self.get_history()]
        values = [value for value in values if not math.isnan(value)]
        if not values:
            return {}
        return dict(
            min=min(values),
            max=max(values),
            mean=statistics.fmean(values),
            median=statistics.median(values),
            var=statistics.pvariance(values),
            std=statistics.pstdev(values),
        )

    def _best(self) -> MetricObservation | None:
        finite = [one for one in self.get_history() if math.isfinite(one.mean())]
        return Objective("metric", self.direction).best(finite, MetricObservation.mean)


class MetricsTracker:
    """The metrics of one trial.

    Attributes:
        metrics: The history of each metric by name.
    """

    def __init__(self) -> None:
        self.metrics: dict[str, MetricHistory] = {}

    @classmethod
    def of(cls, epochs: Iterable[tuple[int, Mapping[str, float]]], directions: Mapping[str, Mode]) -> MetricsTracker:
        """Return the metrics of some epochs.

        Args:
            epochs: The number of each epoch, from 0, and its metrics.
            directions: The directions of the metrics whose names do not imply them.
        """
        tracker = cls()
        for step, metrics in epochs:
            for name, value in metrics.items():
                if name not in tracker.metrics:
                    tracker.register(name, directions.get(name))
                tracker.metrics[name].update(value, step)
        return tracker

    def exists(self, name: str) -> bool:
        """Return whether there is a metric of this name."""
        return name in self.metrics

    def register(self, name: str, direction: Mode | None = None) -> None:
        """Add a metric without values.

        Args:
            name: The name.
            direction: The direction; None: what the name implies, or else "min".
        """
        self.metrics[name] = MetricHistory(direction or implied_direction(name) or _LESS)

    def update(self, name: str, value: float, step: int = 0) -> bool:
        """Add a value, and return whether it is the best so far.

        Args:
            name: The name of the metric.
            value: The value.
            step: The epoch, from 0.
        """
        if name not in self.metrics:
            self.register(name)
        before = self.metrics[name].get_best_value()
        self.metrics[name].update(value, step)
        return self.metrics[name].get_best_value() != before

    def get_history(self, name: str) -> list[MetricObservation]:
        """Return the observations of a metric in the order of the epochs."""
        return self._known(name).get_history()

    def get_best_value(self, name: str) -> float | None:
        """Return the best value of a metric."""
        return self._known(name).get_best_value()

    def get_best_step(self, name: str) -> int | None:
        """Return the epoch with the best value of a metric, from 0."""
        return self._known(name).get_best_step()

    def get_last_value(self, name: str) -> float | None:
        """Return the last value of a metric."""
        return self._known(name).get_last_value()

    def get_statistics(self, name: str) -> dict[str, float]:
        """Return statistics of the values of a metric."""
        return self._known(name).get_statistics()

    def get_direction(self, name: str) -> Mode:
        """Return the direction of a metric."""
        return self._known(name).direction

    def _known(self, name: str) -> MetricHistory:
        if name not in self.metrics:
            raise ValueError(f"There is no metric {name!r}. There are: {', '.join(self.metrics) or 'none yet'}.")
        return self.metrics[name]


class TrialStatus:
    """The statuses of trials, by KerasTuner's names."""

    RUNNING = "RUNNING"
    IDLE = "IDLE"
    INVALID = "INVALID"
    STOPPED = "STOPPED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


STATUSES: Mapping[Status, str] = {
    Status.RUNNING: TrialStatus.RUNNING,
    Status.PAUSED: TrialStatus.IDLE,
    Status.INTERRUPTED: TrialStatus.IDLE,
    Status.COMPLETED: TrialStatus.COMPLETED,
    Status.STOPPED: TrialStatus.COMPLETED,  # KerasTuner's STOPPED means that a search is over
    Status.DIVERGED: TrialStatus.INVALID,
    Status.FAILED: TrialStatus.FAILED,
    Status.OUT_OF_MEMORY: TrialStatus.FAILED,
    Status.REFUSED: TrialStatus.INVALID,
}
"""KerasTuner's name of each status."""


class Trial:
    """One configuration, and its results.

    Attributes:
        hyperparameters: The values of the configuration: those that were used, and no others.
        trial_id: The number of the trial as a text, with leading zeros.
        status: One of ``TrialStatus``.
        message: The error that the trial raised; None if there was none.
        metrics: The metrics by epoch.
        score: The objective at the best epoch; None if there is none.
        best_step: The best epoch, from 0.
    """

    def __init__(
        self,
        hyperparameters: HyperParameters,
        trial_id: str | None = None,
        status: str = TrialStatus.RUNNING,
        message: str | None = None,
    ) -> None:
        self.hyperparameters = hyperparameters
        self.trial_id = trial_id or "0"
        self.status = status
        self.message = message
        self.metrics = MetricsTracker()
        self.score: float | None = None
        self.best_step: int = 0

    def summary(self) -> None:
        """Print the values, the score and the error."""
        print(f"Trial {self.trial_id} summary")  # noqa: T201 - what KerasTuner's does
        print("Hyperparameters:")  # noqa: T201
        self.display_hyperparameters()
        if self.score is not None:
            print(f"Score: {self.score}")  # noqa: T201
        if self.message is not None:
            print(self.message)  # noqa: T201

    def display_hyperparameters(self) -> None:
        """Print the values."""
        for name, value in self.hyperparameters.values.items():
            print(f"{name}:", value)  # noqa: T201
        if not self.hyperparameters.values:
            print("default configuration")  # noqa: T201

    def get_state(self) -> dict[str, Any]:
        """Return the trial in KerasTuner's form, without its metrics."""
        return {
            "trial_id": self.trial_id,
            "hyperparameters": self.hyperparameters.get_config(),
            "score": self.score,
            "best_step": self.best_step,
            "status": self.status,
            "message": self.message,
        }

    def __repr__(self) -> str:
        return f"Trial({self.trial_id!r}, {self.status}, score={self.score}, {self.hyperparameters.values!r})"


def trial_number(trial: Trial | str | int) -> int:
    """Return the number of a trial."""
    return int(trial.trial_id if isinstance(trial, Trial) else trial)
