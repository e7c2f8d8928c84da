"""Runs of digits_mlp with given objectives, for the tests of the command line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.support import runs
from tune_jobs.engine.run_folder.reporter import Reporter
from tune_jobs.loading.loader import load
from tune_jobs.results import EpochReported, Event, RunEnded, RunStarted, Status, TrialEnded, TrialStarted
from tune_jobs.results.run import Run

CONFIG = {
    "layers": 2,
    "units": [64, 32],
    "dropout": 0.1,
    "optimizer": "adam",
    "learning_rate": 0.0031234567,
    "batch_size": 64,
}


def events(values: Sequence[float] = (0.9, 0.8, math.nan), reason: str | None = "all trials") -> Iterator[Event]:
    """Yield the events of trials of one epoch each, with these objectives.

    Args:
        values: The objective of each trial.
        reason: The reason for the end of the run; None: it has not ended.
    """
    yield RunStarted(time_s=100.0, cpus=2, gpus=0, max_concurrent_trials=1)
    for trial, value in enumerate(values):
        yield TrialStarted(time_s=101.0, trial=trial, config=CONFIG, node="host")
        metrics = {"val_accuracy": value, "loss": 0.5}
        yield EpochReported(time_s=102.0, trial=trial, epoch=1, metrics=metrics, seconds=1.5)
        status = Status.STOPPED if math.isfinite(value) else Status.DIVERGED
        yield TrialEnded(time_s=103.0, trial=trial, status=status, reason="why", error=None)
    if reason:
        yield RunEnded(time_s=165.0, reason=reason, error=None)


def make_digits_run(
    storage: str | Path, name: str = "first", journal: Iterable[Event] | None = None, reporter: Reporter | None = None
) -> Run:
    """Make a run of digits_mlp.

    Args:
        storage: The folder of all runs.
        name: The name of the run.
        journal: The events of its journal; None: those of ``events()``.
        reporter: Is told each event after it was written.
    """
    return runs.make_run(
        storage,
        name,
        events() if journal is None else journal,
        experiment=load("digits_mlp").experiment,
        experiment_name="digits_mlp",
        reporter=reporter,
    )
