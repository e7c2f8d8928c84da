"""The warm start of a run on disk: trials are read from other runs, and kept in a file of the new run's folder.

The file is a journal of its own. To resume the new run, the other runs are not needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tune_jobs.engine.decisions.warm_start import TakenTrials, lesson
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import Event, JournalError, JournalWriter, read_journal
from tune_jobs.results.layout import WARM_START_FILE
from tune_jobs.results.run import Run


def gather(runs: Sequence[Run], experiment: Experiment) -> tuple[list[TakenTrials], list[Event]]:
    """Read the trials of other runs that say something about an experiment.

    Args:
        runs: The other runs.
        experiment: The experiment of the new run.

    Returns:
        The trials that were taken of each run; and these trials as events, numbered from 0 over all runs and reduced
        to what a searcher learns from.

    Raises:
        RequestError: A run had another objective, or cannot be read, or the searcher learns from its own trials only.
    """
    taken: list[TakenTrials] = []
    lessons: list[Event] = []
    problems: list[str] = []
    if runs and not experiment.searcher.WARM:
        problems.append(f"{type(experiment.searcher).__name__} cannot be told of other runs: leave the warm start out.")
    count = 0
    for run in runs:
        other, own = run.objective, experiment.objective
        if (other.metric, other.mode) != (own.metric, own.mode):
            problems.append(
                f"The run {run.name} was for {other.metric} ({other.mode}), but this one is for {own.metric} "
                f"({own.mode}): leave it out of the warm start."
            )
            continue
        try:
            trials = run.history().trials
        except JournalError as error:
            problems.append(str(error))
            continue
        numbers = []
        for trial in trials.values():
            if events := lesson(trial, count, experiment, run.experiment.get("max_epochs")):
                lessons += events
                numbers.append(trial.trial)
                count += 1
        taken.append(TakenTrials(run.name, tuple(numbers), len(trials)))
    if problems:
        raise RequestError(*problems)
    return taken, lessons


def write_lessons(folder: Path, lessons: Iterable[Event]) -> None:
    """Write the file of a new run.

    Args:
        folder: The run's folder.
        lessons: The events that ``gather`` returned.
    """
    with JournalWriter(folder / WARM_START_FILE) as journal:
        for event in lessons:
            journal.write(event)


def read_lessons(folder: Path) -> list[Event]:
    """Return the events with which a run was begun; none if it had no warm start.

    Args:
        folder: The run's folder.

    Raises:
        JournalError: The file is damaged.
    """
    path = folder / WARM_START_FILE
    return read_journal(path) if path.exists() else []
