"""Trials that train nothing, so that many can run side by side, and trials that wait for their test."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from search_spaces import Choice, Float, SearchSpace
from tests.support import tiny_lab
from trainables import Data, KerasTrainable, TrialSettings
from trainables.report import Report
from tune_jobs import Experiment, NoScheduler, Objective, Random

EPOCH_S = 0.5


class Idle(KerasTrainable):
    """A trainable that reports epochs and imports no backend, for tests of where and when trials run."""

    def load_data(self) -> Data:
        return tiny_lab.Behaving.load_data(self)  # type: ignore[arg-type]

    def build_model(self, config: dict[str, Any]) -> Any:
        raise NotImplementedError

    def setup(self, config: dict[str, Any], data: Data | None = None, settings: TrialSettings | None = None) -> None:
        self._settings, self._epoch = settings, 0

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._epoch = 0
        return True

    def step(self) -> Report:
        time.sleep(EPOCH_S)
        self._epoch += 1
        done = self._settings is not None and self._epoch >= self._settings.max_epochs
        metrics = {"val_loss": 1.0 / self._epoch}
        return {"epoch": self._epoch, "metrics": metrics, "seconds": EPOCH_S, "done": done}

    def cleanup(self) -> None:
        pass


class Gated(tiny_lab.Behaving):
    """A trainable that writes down each epoch that begins, and waits before the fourth for a file ``gate``."""

    def fit_options(self, config: dict[str, Any]) -> Any:
        from trainables import FitOptions

        return FitOptions(callbacks=[_gated(Path(config["marker"]), self.current_trial.number)])


def _gated(marker: Path, trial: int) -> Any:
    import keras

    class Gate(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            with (marker / str(trial)).open("a") as file:
                file.write(f"{epoch + 1} ")
            deadline_s = time.monotonic() + 300
            while epoch == 3 and not (marker / "gate").exists() and time.monotonic() < deadline_s:
                time.sleep(0.1)

    return Gate()


def experiment(trainable: type[KerasTrainable], marker: Path, **fields: Any) -> Experiment:
    space = SearchSpace(behaviour=Choice("good"), marker=Choice(str(marker)), unit=Float(0.0, 1.0))
    defaults: dict[str, Any] = {
        "searcher": Random(),
        "scheduler": NoScheduler(),
        "max_epochs": 4,
        "checkpoint_every_s": 0.001,
    }
    return Experiment(trainable, space, Objective("val_loss", "min"), **{**defaults, **fields})
