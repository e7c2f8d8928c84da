"""A trainable that trains nothing. A run of it consists of the driver's own work."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from search_spaces import Boolean, Choice, Float, Int, SearchSpace
from trainables import Data, KerasTrainable, TrialSettings
from trainables.report import Epoch, Report
from trainables.settings import TRIAL_KEY
from tune_jobs import Experiment, NoScheduler, Objective, Random


class NoOp(KerasTrainable):
    """A trainable that reports every epoch at once, as a KerasTrainable does. It uses neither Keras nor files.

    If a configuration has ``sleep_s``, an epoch takes that many seconds.
    """

    def load_data(self) -> Data:
        """Return a few numbers."""
        x, y = np.zeros((8, 1), np.float32), np.zeros(8, np.int32)
        return Data(train=(x, y), validation=(x, y))

    def build_model(self, config: dict[str, Any]) -> Any:
        """Raise an error: nothing calls this."""
        raise NotImplementedError(config)

    def setup(self, config: dict[str, Any], data: Data | None = None, settings: TrialSettings | None = None) -> None:
        """Begin the first trial of this worker."""
        self._max_epochs = (settings or TrialSettings()).max_epochs
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial."""
        self._epoch, self._number, self._sleep_s = 0, new_config.get(TRIAL_KEY, 0), new_config.get("sleep_s", 0.0)
        return True

    def step(self) -> Report:
        """Report an epoch that trained nothing."""
        if self._sleep_s:
            time.sleep(self._sleep_s)
        self._epoch += 1
        metrics = {"loss": 1 / self._epoch, "accuracy": 0.5, "val_loss": self._number + 1 / self._epoch}
        metrics["val_accuracy"] = 1 / (2 + self._number + self._epoch)
        return Epoch(self._epoch, metrics, 0.001).report(done=self._epoch >= self._max_epochs)

    def cleanup(self) -> None:
        """Do nothing: there is nothing to clean up."""


def space(**more: Any) -> SearchSpace:
    """Return a space of seven parameters, as a small network has, and those that are given."""
    return SearchSpace(
        layers=Int(1, 4),
        units=Int(16, 256, step=16),
        dropout=Float(0.0, 0.5),
        learning_rate=Float(1e-4, 1e-1, log=True),
        optimizer=Choice("adam", "sgd", "rmsprop"),
        batch_size=Choice(32, 64, 128),
        augment=Boolean(),
        **more,
    )


def experiment(trials: int, epochs: int, **fields: Any) -> Experiment:
    """Return an experiment of trials that train nothing and are never stopped early."""
    defaults: dict[str, Any] = {
        "trainable": NoOp,
        "space": space(),
        "objective": Objective("val_loss", "min"),
        "searcher": Random(),
        "scheduler": NoScheduler(),
        "trials": trials,
        "max_epochs": epochs,
    }
    return Experiment(**{**defaults, **fields})
