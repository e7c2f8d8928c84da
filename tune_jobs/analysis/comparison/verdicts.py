"""Whether strategies differ by more than luck, as far as their repeats tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tune_jobs.analysis.comparison.statistics import ALPHA, Needed, holm, least_p, mann_whitney, needed, spread
from tune_jobs.base.objective import Objective


@dataclass(frozen=True, slots=True)
class Verdict:
    """One strategy against the one with the best median.

    Attributes:
        best: The strategy with the best median.
        other: The one that it is compared with.
        sizes: How many runs each has, in that order.
        share: Of all pairs of their runs, the part in which the first's is better; ties count half.
        p: The p value of the two-sided Mann-Whitney U test, adjusted by Holm's method where there are several.
        exact: Whether p was counted out, and not approximated.
        tests: How many such tests were done.
        least_p: The smallest p that so few runs can show, adjusted likewise.
        needed: How many more runs it would take; None where that is no practical number, or p is small enough.
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
        """Whether luck alone would hardly make such a difference."""
        return self.p <= ALPHA

    @property
    def is_hopeless(self) -> bool:
        """Whether so few runs could show no difference, however large."""
        return self.least_p > ALPHA


def verdicts(samples: Mapping[str, Sequence[float]], objective: Objective) -> list[Verdict]:
    """Compares the strategy with the best median, the first of equals, with every other.

    Args:
        samples: The scores of each strategy's runs.
        objective: The metric of the scores, and its direction.
    """
    better = {name: [-objective.loss(score) for score in scores] for name, scores in samples.items()}
    best = max(better, key=lambda name: spread(better[name]).median)
    others = [name for name in better if name != best]
    results = {name: mann_whitney(better[best], better[name]) for name in others}
    sizes = {name: (len(better[best]), len(better[name])) for name in others}
    adjusted = holm([results[name].p for name in others])
    least = holm([least_p(*sizes[name]) for name in others])
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
            # At Holm's strictest step: which step it will be is not known.
            needed=None if p <= ALPHA else needed(results[name].share, *sizes[name], ALPHA / len(others)),
        )
        for name, p, smallest in zip(others, adjusted, least, strict=True)
    ]
