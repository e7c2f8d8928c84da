"""Runs whose trials were really trained, in this process and in a moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from search_spaces import Float, SearchSpace
from tests.support import runs
from trainables import Data, FitOptions, KerasTrainable, TrialSettings
from trainables.settings import ControlValues
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import EpochReported, Event, RunEnded, RunStarted, Status, TrialEnded, TrialStarted
from tune_jobs.results.layout import TRIALS_FOLDER
from tune_jobs.results.run import Run

NAMES = ("cat", "dog", "bird")
EPOCHS = 3


def blobs(examples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return examples of three classes that lie apart: x of shape (examples, 4), y of shape (examples,)."""
    generator = np.random.default_rng(seed)
    y = (np.arange(examples) % 3).astype(np.int32)
    return (generator.normal(size=(examples, 4)) + y[:, None] * 1.5).astype(np.float32), y


class Blobs(KerasTrainable):
    """One dense layer, run eagerly: tracing takes longer than its epochs."""

    batch_size = 16

    def load_data(self) -> Data:
        return Data(blobs(48, 0), blobs(24, 1), blobs(30, 2), NAMES)

    def build_model(self, config: dict[str, Any]) -> Any:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        optimizer = keras.optimizers.SGD(config["rate"])
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=9)])


class Untested(Blobs):
    """The same without a test set."""

    def load_data(self) -> Data:
        return Data(blobs(48, 0), blobs(24, 1))


def experiment_of(trainable: type[KerasTrainable] = Blobs) -> Experiment:
    space, objective = SearchSpace(rate=Float(0.001, 1.0)), Objective("val_accuracy", "max")
    return Experiment(trainable, space, objective, trials=2, max_epochs=EPOCHS)


def trained_run(
    storage: Path, rates: Sequence[float] = (0.2, 0.001), trainable: type[KerasTrainable] = Blobs, name: str = "first"
) -> Run:
    """Make a run and train its trials.

    Args:
        storage: The folder of all runs.
        rates: The learning rate of each trial.
        trainable: The class that builds the models.
        name: The name of the run.
    """
    events = train(storage / name, [{"rate": rate} for rate in rates], trainable)
    return runs.make_run(storage, name, events, experiment=experiment_of(trainable), experiment_name="blobs")


def train(folder: Path, configs: Sequence[dict[str, Any]], trainable: type[KerasTrainable]) -> Iterator[Event]:
    """Train a trial for each configuration, and yield the events of their run.

    Args:
        folder: The run's folder.
        configs: The configurations.
        trainable: The class that builds the models.
    """
    settings = TrialSettings(metric="val_accuracy", max_epochs=EPOCHS, folder=str(folder / TRIALS_FOLDER))
    yield RunStarted(time_s=1.0, cpus=1, gpus=0, max_concurrent_trials=1)
    for trial, config in enumerate(configs):
        yield TrialStarted(time_s=2.0, trial=trial, config=config, node="host")
        worker = trainable.standalone(ControlValues(trial).wrap(config), settings=settings)
        for epoch in range(1, EPOCHS + 1):
            report = worker.step()
            yield EpochReported(
                time_s=3.0, trial=trial, epoch=epoch, metrics=report["metrics"], seconds=report["seconds"]
            )
        worker.cleanup()
        yield TrialEnded(time_s=4.0, trial=trial, status=Status.COMPLETED, reason="why", error=None)
    yield RunEnded(time_s=5.0, reason="all trials", error=None)
