"""Runs on disk, as the engine leaves them, for the tests of the command line."""

import math
from pathlib import Path

from tune_jobs.engine.run_folder.create import create_folder
from tune_jobs.loading.loader import load
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

CONFIG = {
    "layers": 2,
    "units": [64, 32],
    "dropout": 0.1,
    "optimizer": "adam",
    "learning_rate": 0.0031234567,
    "batch_size": 64,
}


def events(values=(0.9, 0.8, math.nan), reason="all trials"):
    """A run of one-epoch trials with these objectives; it has not ended when the reason is None."""
    yield RunStarted(time_s=100.0, cpus=2, gpus=0, max_concurrent_trials=1)
    for trial, value in enumerate(values):
        yield TrialStarted(time_s=101.0, trial=trial, config=CONFIG, node="host")
        metrics = {"val_accuracy": value, "loss": 0.5}
        yield EpochReported(time_s=102.0, trial=trial, epoch=1, metrics=metrics, seconds=1.5)
        status = Status.STOPPED if math.isfinite(value) else Status.DIVERGED
        yield TrialEnded(time_s=103.0, trial=trial, status=status, reason="why", error=None)
    if reason:
        yield RunEnded(time_s=165.0, reason=reason, error=None)


def make_run(storage, name="first", told=None, reporter=None):
    """Makes a run's folder from the events of its journal, telling a reporter as the engine does."""
    folder = create_folder(Path(storage), name, load("digits_mlp").experiment, "digits_mlp")
    with JournalWriter(folder / JOURNAL_FILE) as journal:
        for event in events() if told is None else told:
            journal.write(event)
            if reporter:
                reporter.event(event)
    return Run(folder)
