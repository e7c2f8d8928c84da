"""Hyperband: successive halving in several brackets, which differ in how early they begin to stop trials."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

from tune_jobs.schedulers.asha import HalvingSchedule, halving_problems
from tune_jobs.schedulers.base import Schedule, Scheduler


@dataclass(frozen=True)
class Hyperband(Scheduler):
    """A scheduler that divides trials among brackets, from "many, stopped early" to "few, trained to the end".

    The brackets are those of Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, "Hyperband: A Novel Bandit-Based
    Approach to Hyperparameter Optimization" (JMLR 2018), algorithm 1. ``max_epochs`` is the paper's R,
    ``reduction_factor`` its eta. The most aggressive bracket comes first, and a bracket gets as many trials as in the
    paper. Trials beyond one round of all brackets begin the next round. They are compared with all trials of the same
    bracket.

    Unlike the paper, no trial waits for the others of its bracket. A bracket is run like ``ASHA``: at a rung a trial is
    stopped unless it is among the best ``1 / reduction_factor`` of its bracket so far, and after a rung it is judged
    there again.

    Args:
        grace_period: Number of epochs that every trial gets at least. With a larger one there are fewer brackets.
        reduction_factor: Ratio of a rung to the rung below.

    Raises:
        InvalidDeclaration: An argument is wrong; all mistakes are listed.

    Example:
        >>> from tune_jobs.schedulers import Hyperband
        >>> hyperband = Hyperband(reduction_factor=3)
        >>> hyperband.rungs(max_epochs=27)
        (1, 3, 9)
        >>> hyperband.trials_of_brackets(max_epochs=27)
        (27, 12, 6, 4)
    """

    NAME: ClassVar[str] = "hyperband"

    grace_period: int = 1
    reduction_factor: int = 3

    def problems(self) -> list[str]:
        """Return every mistake in the arguments."""
        return halving_problems(self.grace_period, self.reduction_factor)

    def epoch_problems(self, max_epochs: int) -> list[str]:
        """Return why it cannot schedule trials of this many epochs; nothing if it can."""
        if max_epochs == 1 or self.rungs(max_epochs):
            return []
        return [
            f"The values of `grace_period` ({self.grace_period}) and `reduction_factor` ({self.reduction_factor}) must "
            f"have a product <= max_epochs ({max_epochs}): there would be no rung. Lower one, or choose NoScheduler()."
        ]

    def rungs(self, max_epochs: int) -> tuple[int, ...]:
        """Return ``max_epochs / reduction_factor ** k``, rounded up, from ``grace_period`` on."""
        rungs: list[int] = []
        divisor = self.reduction_factor
        while divisor * self.grace_period <= max_epochs:
            rungs.insert(0, -(-max_epochs // divisor))
            divisor *= self.reduction_factor
        return tuple(rungs)

    def trials_of_brackets(self, max_epochs: int) -> tuple[int, ...]:
        """Return how many trials each bracket gets in one round. The first bracket has all rungs, the last has none.

        Args:
            max_epochs: The number of epochs of a trial that nothing stops.
        """
        most = len(self.rungs(max_epochs))
        # The paper's n, for its s from s_max down to 0; in whole numbers, because a quotient may be off by a little.
        return tuple(-(-(most + 1) * self.reduction_factor**s // (s + 1)) for s in range(most, -1, -1))

    def start(self, max_epochs: int, seed: int) -> Schedule:  # noqa: ARG002 - nothing is drawn
        """Return the schedule of a new run."""
        ends = list(accumulate(self.trials_of_brackets(max_epochs)))
        return HalvingSchedule(
            self.rungs(max_epochs), self.reduction_factor, lambda trial: bisect_right(ends, trial % ends[-1])
        )
