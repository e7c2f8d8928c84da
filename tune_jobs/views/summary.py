"""A run in a few words: its plan, its trials by status, its best trial, the next commands."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trainables.storage.object_store import redacted
from tune_jobs.base.words import quantity
from tune_jobs.results import Status
from tune_jobs.results.object_store_runs import shown_uri
from tune_jobs.views.text import clean, config_text, duration, score

if TYPE_CHECKING:
    from tune_jobs.engine.run_folder.reporter import Plan
    from tune_jobs.results import History
    from tune_jobs.results.ranking import RankedTrial


def plan_text(plan: Plan) -> str:
    """Return the budget of a run, on one line."""
    parts = [quantity(plan.trials, "trial") if plan.trials else "trials"]
    parts[0] = f"at most {parts[0]} of {quantity(plan.max_epochs, 'epoch')}"
    if plan.total_epochs:
        parts.append(f"at most {quantity(plan.total_epochs, 'epoch')} in all")
    if plan.time_budget_s:
        parts.append(f"at most {duration(plan.time_budget_s)}")
    parts.append(f"{plan.max_concurrent_trials} at a time")
    return ", ".join(parts)


def repeat_text(plan: Plan) -> str:
    """Return " (repeat 2 of 5)", or "" for a run that is no repeat."""
    return f" (repeat {plan.repeat.number} of {plan.repeat.count})" if plan.repeat else ""


def statuses_text(counts: Mapping[Status, int]) -> str:
    """Return the number of trials by status: "22 stopped, 7 completed".

    The order is that of a healthy run's frequencies.
    """
    order = (
        Status.STOPPED,
        Status.COMPLETED,
        Status.DIVERGED,
        Status.FAILED,
        Status.OUT_OF_MEMORY,
        Status.PAUSED,
        Status.INTERRUPTED,
        Status.RUNNING,
        Status.REFUSED,
    )
    return ", ".join(f"{counts[status]:,} {status}" for status in order if counts.get(status))


def status_counts(history: History) -> dict[Status, int]:
    """Return the number of trials of each status."""
    counts: dict[Status, int] = {}
    for trial in history.trials.values():
        counts[trial.status] = counts.get(trial.status, 0) + 1
    return counts


def totals_text(history: History) -> str:
    """Return trials by status, epochs and time: "30 trials (22 stopped, 8 completed), 131 epochs, 1m 23s"."""
    statuses = statuses_text(status_counts(history))
    epochs = sum(len(trial.epochs) for trial in history.trials.values())
    trials = quantity(len(history.trials), "trial") + (f" ({statuses})" if statuses else "")
    parts = [trials, quantity(epochs, "epoch")]
    if history.ended_s is not None:
        parts.append(duration(history.seconds))
    return ", ".join(parts)


def best_text(ranked: RankedTrial, metric: str) -> str:
    """Return the best trial with its configuration: "trial 4, val_accuracy 0.9722 at epoch 27: layers=2, …"."""
    trial, best = ranked.trial, ranked.best
    reached = "" if best is None else f", {clean(metric)} {score(best.metrics[metric])} at epoch {best.epoch}"
    return f"trial {trial.trial}{reached}: {config_text(trial.config)}"


def shown_folder(folder: Path) -> str:
    """Return a folder as a person would type it.

    It is relative if it lies below the current folder. A copy of a run in an object store is shown by its URI.
    """
    if (uri := shown_uri(folder)) is not None:
        return uri
    try:
        return str(folder.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(folder)


def reference(folder: Path, storage: Path | str) -> str:
    """Return the shortest name by which a person can call a run, or a group of repeats, on the command line.

    Args:
        folder: The folder of the run. For a group it is the folder that a run of that name would have.
        storage: The storage that commands look into by default.
    """
    default = redacted(storage) if isinstance(storage, str) else shown_folder(storage)
    by_name = shown_folder(folder.absolute().parent) == default
    return shlex.quote(folder.name if by_name else shown_folder(folder))


def next_commands(folder: Path, storage: Path | str, *, interrupted: bool, swept: bool, ranked: bool) -> list[str]:
    """Return the commands that a person may want after a run.

    Args:
        folder: The run's folder.
        storage: The storage that commands look into by default.
        interrupted: True if the run ended before its time.
        swept: True if a sweep made it.
        ranked: True if it has a best trial.
    """
    run = reference(folder, storage)
    resume = [f"tune-jobs resume {run}"] if interrupted else []
    path = [f"tune-jobs path {run}"] if swept else []
    evaluate = [f"tune-jobs evaluate {run}"] if ranked else []
    return [
        *resume,
        *path,
        f"tune-jobs leaderboard {run}",
        f"tune-jobs leaderboard {run} --output {shlex.quote(folder.name)}.csv",
        *evaluate,
    ]
