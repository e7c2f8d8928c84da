"""The results that a tuner offers, and the methods that a subclass may override."""

from __future__ import annotations

import os
from abc import abstractmethod
from pathlib import Path
from typing import Any

from trainables import Data
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.display import print_results, print_space
from tune_jobs.keras_tuner.errors import FatalRuntimeError
from tune_jobs.keras_tuner.models import trained_model
from tune_jobs.keras_tuner.oracle import Oracle
from tune_jobs.keras_tuner.trial import Trial
from tune_jobs.results.layout import trial_folder
from tune_jobs.results.run import Run


class TunerHooks:
    """The methods that are called while a search goes on.

    ``on_search_…`` and ``on_trial_…`` are called in the process that searches, all others in the workers.
    """

    def on_search_begin(self) -> None:
        """Do something before the first trial."""

    def on_search_end(self) -> None:
        """Do something after the last trial."""

    def on_trial_begin(self, trial: Any) -> None:
        """Do something when a trial has begun."""

    def on_trial_end(self, trial: Any) -> None:
        """Do something when a trial has ended."""

    def on_epoch_begin(self, trial: Any, model: Any, epoch: int, logs: Any = None) -> None:
        """Do something before an epoch."""

    def on_epoch_end(self, trial: Any, model: Any, epoch: int, logs: Any = None) -> None:
        """Do something after an epoch."""

    def on_batch_begin(self, trial: Any, model: Any, batch: int, logs: Any = None) -> None:
        """Do something before a batch."""

    def on_batch_end(self, trial: Any, model: Any, batch: int, logs: Any = None) -> None:
        """Do something after a batch."""


class SearchResults(TunerHooks):
    """The results of a search, read from its folder whenever they are asked for.

    Attributes:
        oracle: The oracle.
        directory, project_name: The folder of all searches, and the name of this one.
    """

    oracle: Oracle
    directory: str
    project_name: str
    _data: Data | None

    @property
    @abstractmethod
    def _folder(self) -> Path:
        """The folder of the search."""

    @abstractmethod
    def build(self, hp: HyperParameters) -> Any:
        """Return the compiled model of a configuration."""

    def get_best_models(self, num_models: int = 1) -> list[Any]:
        """Return the best trials' models, compiled, with the weights of their best epochs; the best first.

        Args:
            num_models: The number of models at most.
        """
        return [self.load_model(trial) for trial in self.oracle.get_best_trials(num_models)]

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[HyperParameters]:
        """Return the best trials' hyperparameters, which a ``build_model(hp)`` takes; the best first.

        Args:
            num_trials: The number of trials at most.
        """
        return [trial.hyperparameters for trial in self.oracle.get_best_trials(num_trials)]

    def search_space_summary(self, extended: bool = False) -> None:  # noqa: ARG002 - KerasTuner ignores it, too
        """Print the space.

        Args:
            extended: Has no effect.
        """
        print_space(self.oracle)

    def results_summary(self, num_trials: int = 10) -> None:
        """Print the best trials.

        Args:
            num_trials: The number of trials at most.
        """
        print_results(self.oracle, self.project_dir, num_trials)

    def load_model(self, trial: Trial) -> Any:
        """Return the model of a trial, compiled, with the weights of its best epoch.

        Args:
            trial: The trial.
        """
        return trained_model(self.run, trial, self.build, self._data)

    @property
    def run(self) -> Run:
        """The run of ``tune_jobs`` that the search is: its leaderboard, curves and journal.

        Raises:
            FatalRuntimeError: ``search`` has not been called.
        """
        if (run := self.oracle.run) is None:
            raise FatalRuntimeError("There are no trials yet: call search() first.")
        return run

    @property
    def remaining_trials(self) -> int | None:
        """The number of trials that are still to be run; None if nobody knows."""
        return self.oracle.remaining_trials()

    @property
    def project_dir(self) -> str:
        """The folder of the search, as KerasTuner writes it: with the directory as it was given."""
        return os.path.join(self.directory, self.project_name)  # noqa: PTH118 - a Path would drop "./"

    def get_trial_dir(self, trial_id: str) -> str:
        """Return the folder of a trial's checkpoints."""
        return str(trial_folder(self._folder, int(trial_id)))

    def reload(self) -> None:
        """Do nothing: everything is read from the search's folder whenever it is asked for."""

    def save(self) -> None:
        """Do nothing: everything is in the search's folder already."""
