"""Which trial is better than which: the order of the leaderboard."""

from typing import NamedTuple

from tune_jobs.results.events import EpochReported, Status
from tune_jobs.results.history import History, Objective, TrialHistory

_STATUSES = tuple(Status)


class Place(NamedTuple):
    """A trial's place: its rank from 1 and its best epoch, both None without a finite objective."""

    rank: int | None
    trial: TrialHistory
    best: EpochReported | None


def ranking(history: History, objective: Objective) -> list[Place]:
    """All trials of a run, the best first.

    A trial counts as its best epoch, even if it diverged or failed later: those weights were kept. Of equal
    trials, the one that took fewer epochs to get there is better, then the one that came first; no two share
    a rank. Trials that never had a finite objective come last, unranked, by status (running, interrupted,
    completed, stopped, diverged, failed), then by number.
    """
    sign = -1 if objective.mode == "max" else 1
    ranked: list[tuple[float, int, int, EpochReported]] = []
    unranked: list[TrialHistory] = []
    for trial in history.trials.values():
        best = trial.best(objective)
        if best is None:
            unranked.append(trial)
        else:
            ranked.append((sign * best.metrics[objective.metric], best.epoch, trial.trial, best))
    ranked.sort(key=lambda row: row[:3])
    unranked.sort(key=lambda trial: (_STATUSES.index(trial.status), trial.trial))
    return [
        *(Place(rank, history.trials[best.trial], best) for rank, (*_, best) in enumerate(ranked, start=1)),
        *(Place(None, trial, None) for trial in unranked),
    ]
