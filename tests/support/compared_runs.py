"""Runs on disk with given objectives, for the tests of what compares them."""

import json
from pathlib import Path

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
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.results.run import Repeat, Run


def events_of(values, start_s=100.0, reason="all trials"):
    """One-epoch trials, one after another, of 10 seconds each; it has not ended when the reason is None."""
    yield RunStarted(time_s=start_s, cpus=2, gpus=0, max_concurrent_trials=1)
    now_s = start_s
    for trial, value in enumerate(values):
        yield TrialStarted(time_s=now_s, trial=trial, config={"rate": trial / 8, "units": [4, 2]}, node="host")
        now_s += 10.0
        yield EpochReported(time_s=now_s, trial=trial, epoch=1, metrics={"val_accuracy": value}, seconds=9.0)
        yield TrialEnded(time_s=now_s, trial=trial, status=Status.COMPLETED, reason="all 1 epochs", error=None)
    if reason:
        yield RunEnded(time_s=now_s + 1.0, reason=reason, error=None)


def make_run(storage, name, values=(0.5, 0.9, 0.8), repeat=None, told=None, **asked):
    """Makes a run's folder."""
    folder = Path(storage) / name
    folder.mkdir(parents=True)
    described = {
        "name": name,
        "created_s": 1.0,
        "reference": "digits_mlp",
        "trainable": "lab:Net",
        "space": asked_space(),
        "objective": {"metric": "val_accuracy", "mode": "max"},
        "searcher": {"kind": "random"},
        "scheduler": {"kind": "asha"},
        "seed": 0,
        "repeat": repeat and {"of": repeat.of, "number": repeat.number, "count": repeat.count},
    }
    (folder / EXPERIMENT_FILE).write_text(json.dumps({**described, **asked}))
    with JournalWriter(folder / JOURNAL_FILE) as journal:
        for event in events_of(values) if told is None else told:
            journal.write(event)
    return Run(folder)


def make_repeats(storage, name, bests, count=None, **asked):
    """Makes a group of repeats, each with one of these as its best objective."""
    count = count or len(bests)
    return [
        make_run(storage, f"{name}-{number}", [0.1, best], Repeat(name, number, count), **asked)
        for number, best in enumerate(bests, start=1)
    ]


def asked_space(most=100.0):
    from search_spaces import Choice, Float, SearchSpace

    return SearchSpace(rate=Float(0.0, most), units=Choice([4, 2], [2, 1])).to_json()


def evaluate(run, trial, accuracy, epoch=1):
    """Writes a test score as `tune-jobs evaluate` does."""
    from tune_jobs.results import evaluations

    scores = evaluations.Scores(trial, epoch, examples=10, evaluated_s=1.0, metrics={"loss": 0.5, "accuracy": accuracy})
    evaluations.write(run.folder, scores, {})
