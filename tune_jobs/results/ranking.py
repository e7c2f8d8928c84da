"""The order of trials on the leaderboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tune_jobs.base.objective import Objective
from tune_jobs.results.history import History, TrialHistory
from tune_jobs.results.journal.events import EpochReported, Status

_STATUSES = tuple(Status)


class RankedTrial(NamedTuple):
    """A trial with its rank, from 1, and its best epoch; both are None without a finite objective."""

    rank: int | None
    trial: TrialHistory
    best: EpochReported | None


def sort_key(best: EpochReported, objective: Objective) -> tuple[float, float, int, int]:
    """Return the key by which trials are ordered: violation of the constraints, loss, and number of the best epoch.

    Args:
        best: The best epoch of the trial.
        objective: The metric that ranks, its direction, and the constraints.
    """
    value = best.metrics[objective.metric]
    return objective.violation(best.metrics), objective.loss(value), best.epoch, best.trial


def ranking(history: History, objective: Objective) -> list[RankedTrial]:
    """Return all trials of a run, the best first.

    A trial counts as its best epoch, even if it diverged or failed later: those weights were kept. Of equal trials,
    the one that needed fewer epochs is better, then the one with the lower number; no two share a rank. Trials that
    never had a finite objective come last, unranked, by status (running, paused, interrupted, completed, stopped,
    diverged, failed, out of memory, refused), then by number. Trials that break a constraint come after all that keep
    them, the nearest first.

    Args:
        history: The history of the run.
        objective: The metric that ranks, its direction, and the constraints.
    """
    ranked: list[tuple[tuple[float, float, int, int], EpochReported]] = []
    unranked: list[TrialHistory] = []
    for trial in history.trials.values():
        best = trial.best(objective)
        if best is None:
            unranked.append(trial)
        else:
            ranked.append((sort_key(best, objective), best))
    ranked.sort(key=lambda row: row[0])
    unranked.sort(key=lambda trial: (_STATUSES.index(trial.status), trial.trial))
    return [
        *(RankedTrial(rank, history.trials[best.trial], best) for rank, (_, best) in enumerate(ranked, start=1)),
        *(RankedTrial(None, trial, None) for trial in unranked),
    ]


def without_best(ranked: Sequence[RankedTrial], name: str, objective: Objective) -> str | None:
    """Return why a run has no best trial; None if it has one.

    Args:
        ranked: The trials of the run, as ``ranking`` returned them.
        name: The name of the run.
        objective: The metric that ranked them, its direction, and the constraints.
    """
    first = ranked[0] if ranked else None
    if first is None or first.best is None:
        return f"The run {name} has no trial with a finite {objective.metric} yet."
    if broken := objective.broken_words(first.best.metrics):
        return (
            f"No trial of the run {name} keeps its constraints. Trial {first.trial.trial} is the nearest: {broken}. To "
            f"use it all the same, name it (--trial {first.trial.trial}; in Python: trial={first.trial.trial})."
        )
    return None
