"""A trial of a search, in the form in which KerasTuner has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.metrics import MetricsTracker
from tune_jobs.results import Status, TrialHistory


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
    Status.INTERRUPTED: TrialStatus.IDLE,
    Status.COMPLETED: TrialStatus.COMPLETED,
    Status.STOPPED: TrialStatus.COMPLETED,  # KerasTuner's STOPPED means that a search is over
    Status.DIVERGED: TrialStatus.INVALID,
    Status.FAILED: TrialStatus.FAILED,
    Status.OUT_OF_MEMORY: TrialStatus.FAILED,
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


def ended_with_message(history: TrialHistory, traceback: str | None) -> str | None:
    """Return the error of a trial, with its traceback if there is one."""
    return traceback or history.error
