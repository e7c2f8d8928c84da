"""ASHA: asynchronous successive halving, which stops the worse part of the trials at each rung."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainables.random_streams import RandomStream
from tune_jobs.base.rules import count_problem
from tune_jobs.schedulers.base import Schedule, Scheduler


@dataclass(frozen=True)
class ASHA(Scheduler):
    """Stops a trial at a rung unless it is among the best ``1 / reduction_factor`` of those that came so far.

    The stopping variant of asynchronous successive halving: Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht and
    Talwalkar, "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), section 3; ``grace_period`` is
    the paper's r, ``reduction_factor`` its eta, ``max_epochs`` its R, a bracket's number its s. A trial is judged by
    its best epoch so far. The first trial at a rung goes on, however bad it is. So, beyond the paper, a trial that
    passed a rung is judged there again after each later epoch: it stops when it is worse, although it was trained for
    longer, than the best part of all that have come there by then.

    Attributes:
        grace_period: Epochs that every trial gets: the first rung.
        reduction_factor: Each rung is so many times higher than the one below.
        brackets: With more than one, trials are divided at random between brackets; bracket s has its first rung at
            ``grace_period * reduction_factor ** s``, a hedge against good trials that start slowly.
    """

    NAME: ClassVar[str] = "asha"

    grace_period: int = 1
    reduction_factor: int = 3
    brackets: int = 1

    def problems(self) -> list[str]:
        """All that is wrong with it."""
        found = (
            count_problem("grace_period", self.grace_period),
            count_problem("reduction_factor", self.reduction_factor, least=2),
            count_problem("brackets", self.brackets),
        )
        return [problem for problem in found if problem]

    def epoch_problems(self, max_epochs: int) -> list[str]:
        """Why it cannot schedule trials of so many epochs."""
        if max_epochs == 1:
            return []  # nothing to stop, and nothing wrong: a quick try of an experiment
        levels = len(self.rungs(max_epochs))
        if levels == 0:
            return [
                f"The value of `grace_period` is {self.grace_period}, but must be < max_epochs ({max_epochs}): "
                "no trial could ever be stopped. Lower it, or choose NoScheduler()."
            ]
        if self.brackets > levels:
            return [
                f"The value of `brackets` is {self.brackets}, but there are only {levels} rungs below "
                f"max_epochs ({max_epochs}): each bracket needs one of its own."
            ]
        return []

    def rungs(self, max_epochs: int) -> tuple[int, ...]:
        """grace_period * reduction_factor ** k below ``max_epochs``, by multiplying: a logarithm may be off by one."""
        rungs = []
        rung = self.grace_period
        while rung < max_epochs:
            rungs.append(rung)
            rung *= self.reduction_factor
        return tuple(rungs)

    def start(self, max_epochs: int, seed: int) -> Schedule:
        """Begins a run."""
        return _Asha(self, max_epochs, seed)


class _Asha(Schedule):
    def __init__(self, declared: ASHA, max_epochs: int, seed: int) -> None:
        self._rungs = declared.rungs(max_epochs)
        self._factor = declared.reduction_factor
        self._brackets = declared.brackets
        self._seed = seed
        self._losses: defaultdict[tuple[int, int], list[float]] = defaultdict(list)

    def report(self, trial: int, epoch: int, loss: float) -> str | None:
        bracket = self._bracket(trial)
        for rung in reversed(self._rungs[bracket:]):
            losses = self._losses[bracket, rung]
            if epoch == rung:
                insort(losses, loss)
                if not goes_on(losses, loss, self._factor):
                    place = bisect_right(losses, loss)
                    return f"rung {rung}: place {place} of {len(losses)}, the best 1/{self._factor} go on"
            elif epoch > rung and len(losses) >= self._factor and not goes_on(losses, loss, self._factor):
                return f"epoch {epoch}: worse than the best 1/{self._factor} of {len(losses)} at rung {rung}"
        return None

    def _bracket(self, trial: int) -> int:
        if self._brackets == 1:
            return 0
        # Drawn from seed and number, not from a stream: a trial keeps its bracket when the run is resumed.
        return int(np.random.default_rng([self._seed, trial, RandomStream.ASHA]).integers(self._brackets))


def goes_on(losses: list[float], loss: float, reduction_factor: int) -> bool:
    """Whether a loss is among the best ``1 / reduction_factor`` of a rung (at least one of them goes on).

    Args:
        losses: Of all trials that came to the rung, as they came, this one's included, ascending.
        loss: This trial's, now.
        reduction_factor: The paper's eta.
    """
    survivors = max(1, len(losses) // reduction_factor)
    return loss <= losses[survivors - 1]
