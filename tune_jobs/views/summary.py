"""A run in a few words: its plan, its trials by status, its best trial, what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trainables.storage.object_store import redacted
from tune_jobs.base.words import count
from tune_jobs.results import Status
from tune_jobs.results.object_store_runs import shown_uri
from tune_jobs.views.text import clean, config_text, duration, score

if TYPE_CHECKING:
    from tune_jobs.engine.run_folder.reporter import Plan
    from tune_jobs.results import History
    from tune_jobs.results.ranking import RankedTrial


def direction(mode: str) -> str:
    """What an objective's mode means."""
    return "more is better" if mode == "max" else "less is better"


def plan_text(plan: Plan) -> str:
    """What a run may use up, on one line."""
    parts = [count(plan.trials, "trial") if plan.trials else "trials"]
    parts[0] = f"at most {parts[0]} of {count(plan.max_epochs, 'epoch')}"
    if plan.total_epochs:
        parts.append(f"at most {count(plan.total_epochs, 'epoch')} in all")
    if plan.time_budget_s:
        parts.append(f"at most {duration(plan.time_budget_s)}")
    parts.append(f"{plan.max_concurrent_trials} at a time")
    return ", ".join(parts)


def repeat_text(plan: Plan) -> str:
    """Which repeat of how many a run is: " (repeat 2 of 5)"; nothing for a run by itself."""
    return f" (repeat {plan.repeat.number} of {plan.repeat.count})" if plan.repeat else ""


def statuses_text(counts: Mapping[Status, int]) -> str:
    """Trials by status: "22 stopped, 7 completed"; the order is that of a healthy run's frequencies."""
    order = (
        Status.STOPPED,
        Status.COMPLETED,
        Status.DIVERGED,
        Status.FAILED,
        Status.OUT_OF_MEMORY,
        Status.INTERRUPTED,
        Status.RUNNING,
    )
    return ", ".join(f"{counts[status]:,} {status}" for status in order if counts.get(status))


def status_counts(history: History) -> dict[Status, int]:
    """How many trials have which status."""
    counts: dict[Status, int] = {}
    for trial in history.trials.values():
        counts[trial.status] = counts.get(trial.status, 0) + 1
    return counts


def totals_text(history: History) -> str:
    """Trials by status, epochs and time: "30 trials (22 stopped, 8 completed), 131 epochs, 1m 23s"."""
    statuses = statuses_text(status_counts(history))
    epochs = sum(len(trial.epochs) for trial in history.trials.values())
    trials = count(len(history.trials), "trial") + (f" ({statuses})" if statuses else "")
    parts = [trials, count(epochs, "epoch")]
    if history.started_s is not None and history.ended_s is not None:
        parts.append(duration(history.ended_s - history.started_s))
    return ", ".join(parts)


def best_text(place: RankedTrial, metric: str) -> str:
    """The best trial with its configuration: "trial 4, val_accuracy 0.9722 at epoch 27: layers=2, …"."""
    if place.best is None:
        return f"trial {place.trial.trial}: {config_text(place.trial.config)}"
    value = score(place.best.metrics[metric])
    where = f"trial {place.trial.trial}, {clean(metric)} {value} at epoch {place.best.epoch}"
    return f"{where}: {config_text(place.trial.config)}"


def shown_folder(folder: Path) -> str:
    """A folder as a person would type it: relative when it lies below the current one; of a copy, its URI."""
    if (uri := shown_uri(folder)) is not None:
        return uri
    try:
        return str(folder.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(folder)


def reference(folder: Path, storage: Path | str) -> str:
    """What a person types to name a run, or a group of repeats.

    Args:
        folder: The folder of the run; of a group, what it would be.
        storage: Where runs are looked for unless the command says otherwise.
    """
    looked_in = redacted(storage) if isinstance(storage, str) else shown_folder(storage)
    by_name = shown_folder(folder.absolute().parent) == looked_in
    return shlex.quote(folder.name if by_name else shown_folder(folder))


def next_commands(folder: Path, storage: Path | str, *, interrupted: bool, swept: bool, ranked: bool) -> list[str]:
    """What can be typed after a run.

    Args:
        folder: The run's folder.
        storage: Where runs are looked for unless the command says otherwise.
        interrupted: Whether it ended before its time.
        swept: Whether a sweep made it.
        ranked: Whether it has a best trial.
    """
    named = reference(folder, storage)
    resume = [f"tune-jobs resume {named}"] if interrupted else []
    path = [f"tune-jobs path {named}"] if swept else []
    evaluate = [f"tune-jobs evaluate {named}"] if ranked else []
    return [
        *resume,
        *path,
        f"tune-jobs leaderboard {named}",
        f"tune-jobs leaderboard {named} --output {shlex.quote(folder.name)}.csv",
        *evaluate,
    ]
