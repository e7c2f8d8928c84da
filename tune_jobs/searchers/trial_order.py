"""Which trials are better than which, when most were stopped after few epochs."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from operator import itemgetter

ENOUGH = 5
"""Results at a rung that make it the one to judge by."""


@dataclass
class Record:
    """What is known of one trial.

    Attributes:
        losses: Its best loss up to each rung that it reached.
        latest: Its best loss so far.
        ended: It will not reach another rung.
        trained_out: It ended because it had all its epochs, or stopped itself.
        failed: It raised, diverged or was killed.
    """

    losses: dict[int, float] = field(default_factory=dict)
    latest: float = math.inf
    ended: bool = False
    trained_out: bool = False
    failed: bool = False


class TrialOrder:
    """The order of the trials of a run, kept up with what they report.

    Args:
        rungs: The epochs at which trials are compared, ascending; the last one is a whole trial.
    """

    def __init__(self, rungs: Sequence[int]) -> None:
        self._rungs = list(rungs)
        self._records: dict[int, Record] = {}

    def report(self, trial: int, epoch: int, loss: float) -> None:
        """Learns a trial's best loss up to an epoch."""
        record = self._records.setdefault(trial, Record())
        record.latest = loss
        if epoch in self._rungs:
            record.losses[epoch] = loss

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        """Learns that a trial ended."""
        record = self._records.setdefault(trial, Record())
        record.ended, record.failed, record.trained_out = True, failed, trained_out
        if trained_out and not failed:
            # It would have stayed as it is, had it gone on: what it reached counts at every later rung.
            for rung in self._rungs[bisect_right(self._rungs, max(record.losses, default=0)) :]:
                record.losses[rung] = record.latest

    def order(self) -> list[int]:
        """The trials that can be judged, best first; those that failed are last."""
        return order_of_merit(self._records, self._rungs)

    def places(self) -> dict[int, float]:
        """The place of each trial that can be judged, from 1; equally good ones share the mean of their places."""
        groups = groups_of_merit(self._records, self._rungs)
        ends = accumulate(map(len, groups))
        return {trial: end - (len(group) - 1) / 2 for end, group in zip(ends, groups, strict=True) for trial in group}

    def failed(self) -> list[int]:
        """The trials that failed."""
        return _failed(self._records)


def order_of_merit(records: Mapping[int, Record], rungs: Sequence[int]) -> list[int]:
    """The trials from best to worst: see ``groups_of_merit``; of equally good ones the earlier first."""
    return [*(trial for _, _, trial in _judged(records, rungs)), *_failed(records)]


def groups_of_merit(records: Mapping[int, Record], rungs: Sequence[int]) -> list[list[int]]:
    """The trials from best to worst, so that no two values of different epochs are ever compared; equals together.

    As in BOHB (Falkner, Klein and Hutter 2018, section 4.2) the good trials are found at the highest rung that has
    enough results. Unlike there, nothing is thrown away: the trials that ended below it follow, those that came
    further first and by their loss within a rung, and then those that failed. A running trial that has not reached
    the rung yet is left out: it is not known to be worse.

    Args:
        records: What is known of each trial.
        rungs: Ascending; the last one is a whole trial.
    """
    groups = [[trial for *_, trial in group] for _, group in groupby(_judged(records, rungs), key=itemgetter(0, 1))]
    failed = _failed(records)
    return [*groups, failed] if failed else groups


def _judged(records: Mapping[int, Record], rungs: Sequence[int]) -> list[tuple[int, float, int]]:
    """The trials that can be judged and did not fail, best first: minus the rung each is judged at, its loss there, it.

    Asked for every proposal, with all trials there are.
    """
    sound = [(trial, record.losses, record.ended) for trial, record in records.items() if not record.failed]
    crowded = (rung for rung in sorted(rungs, reverse=True) if sum(rung in losses for _, losses, _ in sound) >= ENOUGH)
    judged_at = next(crowded, min(rungs))
    judged = [(-judged_at, losses[judged_at], trial) for trial, losses, _ in sound if judged_at in losses]
    for trial, losses, ended in sound:
        if ended and losses and judged_at not in losses:
            rung = max(losses)
            judged.append((-rung, losses[rung], trial))
    return sorted(judged)


def _failed(records: Mapping[int, Record]) -> list[int]:
    return sorted(trial for trial, record in records.items() if record.failed)
