"""Verdicts: whether strategies differ by more than luck, as far as their repeats tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tune_jobs.analysis.comparison.statistics import (
    ALPHA,
    Needed,
    adjust_by_holm,
    estimate_needed,
    least_p,
    mann_whitney,
    spread,
)
from tune_jobs.base.objective import Objective


@dataclass(frozen=True, slots=True)
class Verdict:
    """The strategy with the best median against another one.

    Attributes:
        best: The strategy with the best median.
        other: The strategy that it is compared with.
        sizes: The number of runs of each, in that order.
        share: The part of all pairs of their runs in which the first strategy's run is better; ties count half.
        p: The p value of the two-sided Mann-Whitney U test, adjusted by Holm's method if there are several tests.
        exact: True if p was counted, not approximated.
        tests: The number of tests that were done.
        least_p: The smallest p that so few runs can show, adjusted like p.
        needed: The number of further runs that it would take; None if that is no practical number, or if p is small
            enough already.
    """

    best: str
    other: str
    sizes: tuple[int, int]
    share: float
    p: float
    exact: bool
    tests: int
    least_p: float
    needed: Needed | None

    @property
    def is_different(self) -> bool:
        """True if luck alone would hardly make such a difference."""
        return self.p <= ALPHA

    @property
    def is_hopeless(self) -> bool:
        """True if so few runs cannot show a difference, however large it is."""
        # With ties and samples of different sizes, p can be below the smallest p without ties.
        return self.least_p > ALPHA and not self.is_different


def judge(samples: Mapping[str, Sequence[float]], objective: Objective) -> list[Verdict]:
    """Return the verdicts of the strategy with the best median, the first of equals, against each other one.

    Args:
        samples: The scores of each strategy's runs, by the strategy's name.
        objective: The metric of the scores.
    """
    merits = {name: [-objective.loss(score) for score in scores] for name, scores in samples.items()}
    best = max(merits, key=lambda name: spread(merits[name]).median)
    others = [name for name in merits if name != best]
    results = {name: mann_whitney(merits[best], merits[name]) for name in others}
    sizes = {name: (len(merits[best]), len(merits[name])) for name in others}
    adjusted = adjust_by_holm([results[name].p for name in others])
    least = adjust_by_holm([least_p(*sizes[name]) for name in others])
    return [
        Verdict(
            best=best,
            other=name,
            sizes=sizes[name],
            share=results[name].share,
            p=p,
            exact=results[name].exact,
            tests=len(others),
            least_p=smallest,
            # At Holm's strictest step, because nobody knows which step it will be.
            needed=None if p <= ALPHA else estimate_needed(results[name].share, *sizes[name], ALPHA / len(others)),
        )
        for name, p, smallest in zip(others, adjusted, least, strict=True)
    ]
