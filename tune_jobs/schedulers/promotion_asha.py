"""ASHA by promotion: trials are paused at each rung, and the best part of those there goes on."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import ClassVar

from tune_jobs.schedulers.asha import geometric_rungs, grace_problems, halving_problems
from tune_jobs.schedulers.base import Pause, Promotion, Schedule, Scheduler


@dataclass(frozen=True)
class PromotionASHA(Scheduler):
    """A scheduler that pauses trials at each rung, and promotes those that are among the best ``1 / reduction_factor``.

    This is asynchronous successive halving as in Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht and Talwalkar, "A
    System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), algorithm 2. A paused trial frees its worker, and
    keeps its checkpoint. A worker that is free takes a paused trial that may be promoted, from the highest rung where
    there is one, and a new configuration only if there is none. So a trial that comes early to a rung is not trained on
    just because it is the first, and one that is overtaken is not stopped for ever.

    It departs from the paper in two ways. A trial that is among the best part when it comes to a rung goes on at once,
    in its worker. And when nothing else is left to do, the best trial of the highest rung goes on if none has before:
    so one is trained to its end, also in a short run.

    When the run ends, the paused trials are stopped at their rungs.

    Args:
        grace_period: Number of epochs that every trial gets: the first rung.
        reduction_factor: Ratio of a rung to the rung below.

    Raises:
        InvalidDeclaration: An argument is wrong; all mistakes are listed.

    Example:
        >>> from tune_jobs.schedulers import PromotionASHA
        >>> schedule = PromotionASHA(grace_period=1, reduction_factor=3).start(max_epochs=27, seed=0)
        >>> [schedule.report(trial, 1, loss).reason for trial, loss in enumerate([0.3, 0.5])]
        ['rung 1: came as place 1 of 1', 'rung 1: came as place 2 of 2']
        >>> schedule.next_promotion(last=False) is None
        True
        >>> schedule.report(trial=2, epoch=1, loss=0.4).reason
        'rung 1: came as place 2 of 3'
        >>> schedule.next_promotion(last=False).reason
        'rung 1: place 1 of 3, the best 1/3 go on'
    """

    NAME: ClassVar[str] = "asha-promotion"
    PAUSES: ClassVar[bool] = True

    grace_period: int = 1
    reduction_factor: int = 3

    def problems(self) -> list[str]:
        """Return every mistake in the arguments."""
        return halving_problems(self.grace_period, self.reduction_factor)

    def epoch_problems(self, max_epochs: int) -> list[str]:
        """Return why it cannot schedule trials of this many epochs; nothing if it can."""
        return grace_problems(self.grace_period, max_epochs)

    def rungs(self, max_epochs: int) -> tuple[int, ...]:
        """Return ``grace_period * reduction_factor ** k`` below ``max_epochs``."""
        return geometric_rungs(self.grace_period, self.reduction_factor, max_epochs)

    def start(self, max_epochs: int, seed: int) -> Schedule:  # noqa: ARG002 - nothing is drawn
        """Return the schedule of a new run."""
        return _PromotionSchedule(self.rungs(max_epochs), self.reduction_factor)


class _PromotionSchedule(Schedule):
    """Successive halving by promotion.

    Args:
        rungs: The epochs at which trials are compared.
        factor: The paper's eta.
    """

    def __init__(self, rungs: tuple[int, ...], factor: int) -> None:
        self._factor = factor
        self._results: dict[int, list[tuple[float, int]]] = {rung: [] for rung in rungs}  # (loss, trial), ascending
        self._paused: dict[int, int] = {}  # the rung of each paused trial
        self._left: set[int] = set()  # the rungs that a trial has left upwards

    def report(self, trial: int, epoch: int, loss: float) -> Pause | None:
        results = self._results.get(epoch)
        if results is None:
            return None
        insort(results, (loss, trial))
        if bisect_left(results, (loss, trial)) < len(results) // self._factor:
            self._left.add(epoch)
            return None
        self._paused[trial] = epoch
        return Pause(f"rung {epoch}: came as place {self._place(trial, epoch)} of {len(results)}")

    def next_promotion(self, *, last: bool) -> Promotion | None:
        for rung in reversed(self._results):
            results = self._results[rung]
            for _, trial in results[: len(results) // self._factor]:
                if self._paused.get(trial) == rung:
                    place = self._place(trial, rung)
                    reason = f"rung {rung}: place {place} of {len(results)}, the best 1/{self._factor} go on"
                    return Promotion(trial, reason)
        highest = max(self._paused.values(), default=0)
        if not last or not highest or any(rung >= highest for rung in self._left):
            return None
        best = next(trial for _, trial in self._results[highest] if self._paused.get(trial) == highest)
        return Promotion(best, f"rung {highest}: the best there, and nothing else is left to do")

    def promote(self, trial: int) -> None:
        if trial in self._paused:
            self._left.add(self._paused.pop(trial))

    def end(self, trial: int) -> None:
        self._paused.pop(trial, None)

    def _place(self, trial: int, rung: int) -> int:
        return next(place for place, (_, other) in enumerate(self._results[rung], start=1) if other == trial)
