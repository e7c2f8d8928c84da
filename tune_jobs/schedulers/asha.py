"""ASHA: asynchronous successive halving, which stops the worse part of the trials at each rung."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from trainables.random_streams import RandomStream
from tune_jobs.base.rules import count_problem
from tune_jobs.schedulers.base import Schedule, Scheduler


@dataclass(frozen=True)
class ASHA(Scheduler):
    """A scheduler that stops a trial at a rung unless it is among the best ``1 / reduction_factor`` so far.

    This is the stopping variant of asynchronous successive halving: Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht
    and Talwalkar, "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), section 3. ``grace_period`` is
    the paper's r, ``reduction_factor`` its eta, ``max_epochs`` its R, and a bracket's number its s. A trial is judged
    by its best epoch so far.

    The first trial at a rung goes on, however bad it is. So, beyond the paper, a trial that passed a rung is judged
    there again after each later epoch. It stops if it is worse, although it was trained for longer, than the best part
    of all trials that have reached that rung by then. A trial whose objective has no value when it reaches a rung is
    judged there in this way, from the epoch with its first value on.

    Args:
        grace_period: Number of epochs that every trial gets: the first rung.
        reduction_factor: Ratio of a rung to the rung below.
        brackets: Number of brackets, between which trials are divided at random. Bracket s has its first rung at
            ``grace_period * reduction_factor ** s``, which is a hedge against good trials that start slowly.

    Raises:
        InvalidDeclaration: An argument is wrong; all mistakes are listed.

    Example:
        >>> from tune_jobs.schedulers import ASHA
        >>> asha = ASHA(grace_period=1, reduction_factor=3)
        >>> asha.rungs(max_epochs=27)
        (1, 3, 9)
        >>> schedule = asha.start(max_epochs=27, seed=0)
        >>> schedule.report(trial=0, epoch=1, loss=0.5) is None
        True
        >>> schedule.report(trial=1, epoch=1, loss=0.9)
        'rung 1: place 2 of 2, the best 1/3 go on'
    """

    NAME: ClassVar[str] = "asha"

    grace_period: int = 1
    reduction_factor: int = 3
    brackets: int = 1

    def problems(self) -> list[str]:
        """Return every mistake in the arguments."""
        brackets = count_problem("brackets", self.brackets)
        return halving_problems(self.grace_period, self.reduction_factor) + ([brackets] if brackets else [])

    def epoch_problems(self, max_epochs: int) -> list[str]:
        """Return why it cannot schedule trials of this many epochs; nothing if it can."""
        if max_epochs == 1:
            return []  # there is nothing to stop, and nothing wrong: a quick try of an experiment
        levels = len(self.rungs(max_epochs))
        if levels == 0:
            return grace_problems(self.grace_period, max_epochs)
        if self.brackets > levels:
            return [
                f"The value of `brackets` is {self.brackets}, but there are only {levels} rungs below "
                f"max_epochs ({max_epochs}): each bracket needs one of its own."
            ]
        return []

    def rungs(self, max_epochs: int) -> tuple[int, ...]:
        """Return ``grace_period * reduction_factor ** k`` below ``max_epochs``."""
        return geometric_rungs(self.grace_period, self.reduction_factor, max_epochs)

    def start(self, max_epochs: int, seed: int) -> Schedule:
        """Return the schedule of a new run."""
        brackets = None if self.brackets == 1 else lambda trial: bracket_of(trial, seed, self.brackets)
        return HalvingSchedule(self.rungs(max_epochs), self.reduction_factor, brackets)


class HalvingSchedule(Schedule):
    """Successive halving by stopping, in brackets that know nothing of each other.

    Args:
        rungs: The rungs of bracket 0, ascending. Bracket s has all but the lowest s of them.
        reduction_factor: The paper's eta.
        bracket_of: Returns the bracket of a trial, by the trial's number; None: all are in bracket 0.
    """

    def __init__(self, rungs: Sequence[int], reduction_factor: int, bracket_of: Callable[[int], int] | None) -> None:
        self._rungs = rungs
        self._factor = reduction_factor
        self._bracket_of = bracket_of
        self._losses: defaultdict[tuple[int, int], list[float]] = defaultdict(list)

    def report(self, trial: int, epoch: int, loss: float) -> str | None:
        """Stop a trial that is not among the best part of its bracket, at a rung or after it."""
        bracket = 0 if self._bracket_of is None else self._bracket_of(trial)
        for rung in reversed(self._rungs[bracket:]):
            losses = self._losses[bracket, rung]
            if epoch == rung:
                insort(losses, loss)
                if not goes_on(losses, loss, self._factor):
                    rank = bisect_right(losses, loss)
                    return f"rung {rung}: place {rank} of {len(losses)}, the best 1/{self._factor} go on"
            elif epoch > rung and len(losses) >= self._factor and not goes_on(losses, loss, self._factor):
                return f"epoch {epoch}: worse than the best 1/{self._factor} of {len(losses)} at rung {rung}"
        return None


def geometric_rungs(grace_period: int, factor: int, max_epochs: int) -> tuple[int, ...]:
    """Return ``grace_period * factor ** k`` below ``max_epochs``."""
    rungs = []
    rung = grace_period
    while rung < max_epochs:  # multiplied, because a logarithm may be off by one
        rungs.append(rung)
        rung *= factor
    return tuple(rungs)


def halving_problems(grace_period: Any, factor: Any) -> list[str]:
    """Return all that is wrong with the grace period and the reduction factor of successive halving."""
    problems = (
        count_problem("grace_period", grace_period),
        count_problem("reduction_factor", factor, least=2),
    )
    return [problem for problem in problems if problem]


def grace_problems(grace_period: int, max_epochs: int) -> list[str]:
    """Return that a grace period leaves no rung; nothing if it does, or if there is nothing to stop."""
    if max_epochs == 1 or grace_period < max_epochs:
        return []
    return [
        f"The value of `grace_period` is {grace_period}, but must be < max_epochs ({max_epochs}): "
        "no trial could ever be stopped. Lower it, or choose NoScheduler()."
    ]


def bracket_of(trial: int, seed: int, brackets: int) -> int:
    """Return the bracket of a trial, from 0.

    Args:
        trial: The trial's number.
        seed: The run's seed.
        brackets: The number of brackets.
    """
    if brackets == 1:
        return 0
    # Drawn from the seed and the trial's number, not from one stream: a trial keeps its bracket when the run is
    # resumed.
    return int(np.random.default_rng([seed, trial, RandomStream.ASHA]).integers(brackets))


def goes_on(losses: Sequence[float], loss: float, reduction_factor: int) -> bool:
    """Return whether a loss is among the best ``1 / reduction_factor`` of a rung. At least one trial always goes on.

    Args:
        losses: The losses of all trials when they reached the rung, ascending; this trial's loss is included.
        loss: The trial's loss now.
        reduction_factor: The paper's eta.
    """
    survivors = max(1, len(losses) // reduction_factor)
    return loss <= losses[survivors - 1]
