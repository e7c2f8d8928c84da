"""Runs with given objectives, and repeats of them, for the tests of what compares and evaluates them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from search_spaces import Choice, Float, SearchSpace
from tests.support import fakes, runs
from tune_jobs.results import (
    EpochReported,
    Event,
    RunEnded,
    RunStarted,
    Status,
    TrialEnded,
    TrialStarted,
    evaluations,
)
from tune_jobs.results.run import Repeat, Run
from tune_jobs.searchers import Random


def space(most: float = 100.0) -> SearchSpace:
    return SearchSpace(rate=Float(0.0, most), units=Choice([4, 2], [2, 1]))


def asked_space(most: float = 100.0) -> dict[str, Any]:
    """Return the search space of the runs as experiment.json has it."""
    return space(most).to_json()


EXPERIMENT = fakes.experiment(space=space(), searcher=Random())
RECORD = {"created_s": 1.0, "trainable": "lab:Net"}


def events_of(values: Sequence[float], start_s: float = 100.0, reason: str | None = "all trials") -> Iterator[Event]:
    """Yield the events of trials of one epoch and 10 seconds each, one after another.

    Args:
        values: The objective of each trial.
        start_s: The time of the start.
        reason: The reason for the end of the run; None: it has not ended.
    """
    yield RunStarted(time_s=start_s, cpus=2, gpus=0, max_concurrent_trials=1)
    now_s = start_s
    for trial, value in enumerate(values):
        yield TrialStarted(time_s=now_s, trial=trial, config={"rate": trial / 8, "units": [4, 2]}, node="host")
        now_s += 10.0
        yield EpochReported(time_s=now_s, trial=trial, epoch=1, metrics={"val_accuracy": value}, seconds=9.0)
        yield TrialEnded(time_s=now_s, trial=trial, status=Status.COMPLETED, reason="all 1 epochs", error=None)
    if reason:
        yield RunEnded(time_s=now_s + 1.0, reason=reason, error=None)


def make_scored_run(
    storage: str | Path,
    name: str,
    values: Sequence[float] = (0.5, 0.9, 0.8),
    repeat: Repeat | None = None,
    events: Iterable[Event] | None = None,
    **record: Any,
) -> Run:
    """Make a run whose trials have these objectives.

    Args:
        storage: The folder of all runs.
        name: The name of the run.
        values: The objective of each trial.
        repeat: The position of the run in a group of repeats.
        events: The events of its journal, instead of those that the values make.
        record: Entries of experiment.json to replace.
    """
    return runs.make_run(
        storage,
        name,
        events_of(values) if events is None else events,
        experiment=EXPERIMENT,
        reference="digits_mlp",
        repeat=repeat,
        record={**RECORD, **record},
    )


def make_repeats(
    storage: str | Path, name: str, bests: Sequence[float], count: int | None = None, **record: Any
) -> list[Run]:
    """Make a group of repeats.

    Args:
        storage: The folder of all runs.
        name: The name of the group.
        bests: The best objective of each repeat.
        count: The number of repeats that the group is to have; None: as many as there are.
        record: Entries of experiment.json to replace.
    """
    planned = count or len(bests)
    return [
        make_scored_run(storage, f"{name}-{number}", [0.1, best], Repeat(name, number, planned), **record)
        for number, best in enumerate(bests, start=1)
    ]


def evaluate(run: Run, trial: int, accuracy: float, epoch: int = 1) -> None:
    """Write a test score as `tune-jobs evaluate` does."""
    scores = evaluations.Scores(trial, epoch, examples=10, evaluated_s=1.0, metrics={"loss": 0.5, "accuracy": accuracy})
    evaluations.write(run.folder, scores, {})
