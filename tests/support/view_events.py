"""Plans, events and progress for the tests of the views."""

from functools import reduce
from pathlib import Path

from tune_jobs.engine.run_folder.reporter import Plan
from tune_jobs.results import EpochReported, RunStarted, Status, TrialEnded, TrialPaused, TrialStarted
from tune_jobs.views.progress.progress import Progress


def make_plan(**changes):
    fields = {
        "folder": Path("runs/first"),
        "name": "first",
        "metric": "val_accuracy",
        "mode": "max",
        "trials": 10,
        "max_epochs": 9,
        "total_epochs": None,
        "time_budget_s": None,
        "max_concurrent_trials": 2,
    }
    return Plan(**{**fields, **changes})


def run_started(time_s=100.0):
    return RunStarted(time_s=time_s, cpus=2.0, gpus=0.0, max_concurrent_trials=2)


def started(trial, config=None, time_s=100.0):
    config = {"lr": 0.003} if config is None else config
    return TrialStarted(time_s=time_s, trial=trial, config=config, node="host")


def epoch(trial, number, value, time_s=101.0):
    return EpochReported(time_s=time_s, trial=trial, epoch=number, metrics={"val_accuracy": value}, seconds=1.0)


def ended(trial, status=Status.STOPPED, error=None, time_s=102.0):
    return TrialEnded(time_s=time_s, trial=trial, status=status, reason="why", error=error)


def paused(trial, epochs=1, time_s=102.0):
    return TrialPaused(time_s=time_s, trial=trial, reason="why", epochs=epochs)


def trial_events(trial, values, status=Status.STOPPED, config=None, error=None):
    reports = [epoch(trial, number, value) for number, value in enumerate(values, start=1)]
    return [started(trial, config), *reports, ended(trial, status, error)]


def progress_after(*events, **plan):
    return reduce(Progress.after, events, Progress(make_plan(**plan)))
