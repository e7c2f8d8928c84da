"""The order of trials on the leaderboard."""

from __future__ import annotations

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


def sort_key(best: EpochReported, objective: Objective) -> tuple[float, int, int]:
    """Return the key by which trials are ordered: the objective at the best epoch (less is better), epoch, trial.

    Args:
        best: The best epoch of the trial.
        objective: The metric that ranks, and its direction.
    """
    value = best.metrics[objective.metric]
    return objective.loss(value), best.epoch, best.trial


def ranking(history: History, objective: Objective) -> list[RankedTrial]:
    """Return all trials of a run, the best first.

    A trial counts as its best epoch, even if it diverged or failed later: those weights were kept. Of equal trials,
    the one that needed fewer epochs is better, then the one with the lower number; no two share a rank. Trials that
    never had a finite objective come last, unranked, by status (running, paused, interrupted, completed, stopped,
    diverged, failed, out of memory), then by number.

    Args:
        history: The history of the run.
        objective: The metric that ranks, and its direction.
    """
    ranked: list[tuple[tuple[float, int, int], EpochReported]] = []
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
