"""Runs whose trials were really trained, in this process and in a moment."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from search_spaces import Float, SearchSpace
from trainables import Data, FitOptions, KerasTrainable, TrialSettings
from trainables.settings import ControlValues
from tune_jobs.base.objective import Objective
from tune_jobs.engine.run_folder.create import create_folder
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import (
    JOURNAL_FILE,
    EpochReported,
    JournalWriter,
    RunEnded,
    RunStarted,
    Status,
    TrialEnded,
    TrialStarted,
)
from tune_jobs.results.run import Run

NAMES = ("cat", "dog", "bird")


def blobs(examples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y = (np.arange(examples) % 3).astype(np.int32)
    return (generator.normal(size=(examples, 4)) + y[:, None] * 1.5).astype(np.float32), y


class Blobs(KerasTrainable):
    """One dense layer, run eagerly: tracing takes longer than its epochs."""

    batch_size = 16

    def load_data(self) -> Data:
        return Data(blobs(48, 0), blobs(24, 1), blobs(30, 2), NAMES)

    def build_model(self, config):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        optimizer = keras.optimizers.SGD(config["rate"])
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
        return model

    def fit_options(self, config) -> FitOptions:
        return FitOptions(callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=9)])


class Untested(Blobs):
    def load_data(self) -> Data:
        return Data(blobs(48, 0), blobs(24, 1))


def experiment_of(trainable=Blobs) -> Experiment:
    return Experiment(
        trainable, SearchSpace(rate=Float(0.001, 1.0)), Objective("val_accuracy", "max"), trials=2, max_epochs=3
    )


def trained_run(storage: Path, rates=(0.2, 0.001), trainable=Blobs, name: str = "first") -> Run:
    folder = create_folder(storage, name, experiment_of(trainable), "blobs")
    settings = TrialSettings(metric="val_accuracy", max_epochs=3, folder=str(folder / "trials"))
    with JournalWriter(folder / JOURNAL_FILE) as journal:
        journal.write(RunStarted(time_s=1.0, cpus=1, gpus=0, max_concurrent_trials=1))
        for trial, rate in enumerate(rates):
            config = {"rate": rate}
            journal.write(TrialStarted(time_s=2.0, trial=trial, config=config, node="host"))
            worker = trainable.standalone(ControlValues(trial).wrap(config), settings=settings)
            for epoch in range(1, 4):
                result = worker.step()
                reported = EpochReported(
                    time_s=3.0, trial=trial, epoch=epoch, metrics=result["metrics"], seconds=result["seconds"]
                )
                journal.write(reported)
            worker.cleanup()
            journal.write(TrialEnded(time_s=4.0, trial=trial, status=Status.COMPLETED, reason="why", error=None))
        journal.write(RunEnded(time_s=5.0, reason="all trials", error=None))
    return Run(folder)
