"""The folder of a search: what continues it, what deletes it, and the arguments of KerasTuner's that are not here."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.record import accept_changes, differences, restore_experiment
from tune_jobs.keras_tuner.errors import FatalValueError, NotSupported
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.results.run import Run

_NOT_HERE = {
    "distribution_strategy": "give each trial more of the machine: resources=tune_jobs.Resources(cpus=2, gpus=2)",
    "logger": "the run's journal has everything: tune-jobs leaderboard, curves and compare read it",
    "tuner_id": "the workers of one search are numbered by themselves",
}


def continued_experiment(experiment: Experiment, existing: Run) -> Experiment | None:
    """Return the experiment with which a search goes on; None if nothing is left to do.

    Raises:
        FatalValueError: The search was begun with other ranges, another objective or another number of epochs.
    """
    record = existing.experiment
    all_changed = differences(experiment, record)
    changed = [text for text in all_changed if text.startswith("The search space")]
    if existing.objective != experiment.objective:
        changed.append(f"The objective was {existing.objective}, and is {experiment.objective} now.")
    for field in ("max_epochs", "executions", "seed"):
        before, now = record.get(field), getattr(experiment, field)
        if before != now:
            changed.append(f"The value of `{field}` was {before}, and is {now} now.")
    if changed:
        raise FatalValueError(
            "\n".join([*changed, f"The search in {existing.folder} cannot go on so: undo that, choose another "])
            + "`project_name`, or begin anew with overwrite=True."
        )
    history = existing.history()
    limit = experiment.planned_trials
    if history.is_finished and limit is not None and len(history.trials) >= limit:
        accept_changes(all_changed, "", force=True)  # warns of changed code
        return None
    return restore_experiment(experiment, record, trials=experiment.trials)


def delete_search(folder: Path) -> None:
    """Delete an earlier search, of ours or of KerasTuner's.

    Raises:
        FatalValueError: The folder holds something else.
    """
    if not folder.exists():
        return
    if not any((folder / name).exists() for name in (EXPERIMENT_FILE, "oracle.json")) and any(folder.iterdir()):
        raise FatalValueError(
            f"The folder {folder} is not that of a search, so overwrite=True does not delete it: choose another "
            "`project_name`, or remove it yourself."
        )
    shutil.rmtree(folder)


def refuse_arguments(name: str, others: Mapping[str, Any]) -> None:
    """Refuse the arguments of a tuner that are not known, or not here.

    Raises:
        NotSupported: They are KerasTuner's, and not here; the message says what to use instead.
        ValueError: Nobody knows them.
    """
    known = [
        f"`{other}` is not supported: {_NOT_HERE[other]}." for other in others if other in _NOT_HERE and others[other]
    ]
    if known:
        raise NotSupported(f"{name}: {' '.join(known)}")
    unknown = [other for other in others if other not in _NOT_HERE]
    if unknown:
        raise ValueError(f"{name} has no argument {', '.join(f'`{other}`' for other in unknown)}.")
