"""The order of trials from best to worst, although most were stopped after few epochs."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from operator import itemgetter

ENOUGH_RESULTS = 5
"""The number of results from which on trials are judged at a rung."""


@dataclass
class TrialRecord:
    """The results of one trial so far.

    Attributes:
        losses: The best loss up to each rung that the trial reached, by the rung's epoch.
        latest_loss: The best loss so far.
        ended: True if the trial will not reach another rung, unless it is paused and is promoted later.
        trained_out: True if it ended because it had all its epochs, or stopped itself.
        failed: True if it raised an error, diverged, was killed, or ended without any value of the objective.
    """

    losses: dict[int, float] = field(default_factory=dict)
    latest_loss: float = math.inf
    ended: bool = False
    trained_out: bool = False
    failed: bool = False


class TrialOrder:
    """The order of the trials of a run, which is kept up to date with their reports.

    Args:
        rungs: The epochs at which trials are compared, ascending; the last one is the number of a trial's epochs.
    """

    def __init__(self, rungs: Sequence[int]) -> None:
        self._rungs = list(rungs)
        self._records: dict[int, TrialRecord] = {}

    def report(self, trial: int, epoch: int, loss: float) -> None:
        """Take in a trial's best loss up to an epoch.

        The first loss of a trial also counts at the rungs that it had passed without one. Else a trial whose objective
        had its first value late would be in front of all that were compared at the earlier rungs.
        """
        record = self._records.setdefault(trial, TrialRecord())
        record.latest_loss = loss
        record.ended = False
        if epoch in self._rungs:
            record.losses[epoch] = loss
        for rung in self._rungs[: bisect_right(self._rungs, epoch)]:
            record.losses.setdefault(rung, loss)  # its objective had no value when it passed that rung

    def pause(self, trial: int) -> None:
        """Take in that a trial was paused: until its next report it is judged like one that ended."""
        self._records.setdefault(trial, TrialRecord()).ended = True

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        """Take in that a trial ended."""
        record = self._records.setdefault(trial, TrialRecord())
        record.ended, record.failed, record.trained_out = True, failed, trained_out
        if trained_out and not failed:
            # With more epochs the trial would have stayed the same: its loss counts at every later rung.
            for rung in self._rungs[bisect_right(self._rungs, max(record.losses, default=0)) :]:
                record.losses[rung] = record.latest_loss

    def best_first(self) -> list[int]:
        """Return the trials that can be judged, the best first; trials that failed are last."""
        return best_first(self._records, self._rungs)

    def mean_ranks(self) -> dict[int, float]:
        """Return the rank of each trial that can be judged, from 1; equally good trials share their mean rank."""
        groups = equals_best_first(self._records, self._rungs)
        ends = accumulate(map(len, groups))
        return {trial: end - (len(group) - 1) / 2 for end, group in zip(ends, groups, strict=True) for trial in group}

    def failed_trials(self) -> list[int]:
        """Return the trials that failed."""
        return _failed(self._records)


def best_first(records: Mapping[int, TrialRecord], rungs: Sequence[int]) -> list[int]:
    """Return the trials from best to worst: see ``equals_best_first``. Of equally good ones the earlier is first."""
    return [*(trial for _, _, trial in _judged(records, rungs)), *_failed(records)]


def equals_best_first(records: Mapping[int, TrialRecord], rungs: Sequence[int]) -> list[list[int]]:
    """Return the trials from best to worst, in groups of equally good ones.

    Values of different epochs are never compared. As in BOHB (Falkner, Klein and Hutter 2018, section 4.2), the good
    trials are found at the highest rung that has enough results. Unlike BOHB, nothing is thrown away. The trials that
    ended below that rung follow: those that came further are first, and within a rung they are ordered by loss. The
    trials that failed are last. A running trial that has not reached the rung yet is left out, because nobody knows
    that it is worse.

    Args:
        records: The results of each trial.
        rungs: The epochs at which trials are compared, ascending; the last one is the number of a trial's epochs.
    """
    groups = [[trial for *_, trial in group] for _, group in groupby(_judged(records, rungs), key=itemgetter(0, 1))]
    failed = _failed(records)
    return [*groups, failed] if failed else groups


def _judged(records: Mapping[int, TrialRecord], rungs: Sequence[int]) -> list[tuple[int, float, int]]:
    """Return the trials that can be judged and did not fail, the best first.

    A searcher calls this for every proposal, with all trials of the run.

    Returns:
        Minus the rung at which the trial is judged, its loss at that rung, and the trial.
    """
    sound = [(trial, record.losses, record.ended) for trial, record in records.items() if not record.failed]
    crowded = (
        rung for rung in sorted(rungs, reverse=True) if sum(rung in losses for _, losses, _ in sound) >= ENOUGH_RESULTS
    )
    judged_at = next(crowded, min(rungs))
    judged = [(-judged_at, losses[judged_at], trial) for trial, losses, _ in sound if judged_at in losses]
    for trial, losses, ended in sound:
        if ended and losses and judged_at not in losses:
            rung = max(losses)
            judged.append((-rung, losses[rung], trial))
    return sorted(judged)


def _failed(records: Mapping[int, TrialRecord]) -> list[int]:
    return sorted(trial for trial, record in records.items() if record.failed)
