"""Statistics of small samples: quartiles, the Mann-Whitney U test, Holm's correction, and the sample size needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

QUARTILES = (0.25, 0.5, 0.75)
ALPHA = 0.05
POWER = 0.8
MAX_SAMPLE_SIZE = 1000
_MAX_DIVISIONS = 20_000
_MAX_PAIRS = 10_000
_ROUNDING = 1e-9


class Spread(NamedTuple):
    """The quartiles of a sample."""

    low: float
    median: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Return the quartiles of some values, interpolated linearly.

    Args:
        values: One or more values.
    """
    import numpy as np

    return Spread(*map(float, np.quantile(values, QUARTILES)))


@dataclass(frozen=True, slots=True)
class MannWhitney:
    """The result of the two-sided Mann-Whitney U test of two samples.

    Attributes:
        p: The probability of such a difference, or of a greater one, by luck alone.
        share: The part of all pairs in which the first sample's value is greater; ties count half. It is U / (n1 n2).
        exact: True if p was counted, False if it was approximated by a normal distribution.
    """

    p: float
    share: float
    exact: bool


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> MannWhitney:
    """Return the result of the two-sided Mann-Whitney U test (Mann and Whitney 1947).

    The test is exact if possible: without ties by the distribution of U, with ties by all ways to divide the values,
    if these are few. Otherwise p is the normal approximation, corrected for ties and continuity. The distribution of U
    and the approximation are SciPy's.

    Args:
        first: One or more values.
        second: One or more values.
    """
    from scipy.stats import mannwhitneyu

    share = _share(first, second)
    different = len({*first, *second})
    if different == 1:  # the variance is 0, and the approximation would divide by it
        return MannWhitney(1.0, share, exact=True)
    if different < len(first) + len(second):
        if math.comb(len(first) + len(second), len(first)) <= _MAX_DIVISIONS:
            return MannWhitney(_p_of_divisions(first, second), share, exact=True)
        exact = False
    else:
        exact = len(first) * len(second) <= _MAX_PAIRS
    p = mannwhitneyu(first, second, alternative="two-sided", method="exact" if exact else "asymptotic").pvalue
    return MannWhitney(min(1.0, float(p)), share, exact)


def _share(first: Sequence[float], second: Sequence[float]) -> float:
    pairs = [(a > b) + (a == b) / 2 for a in first for b in second]
    return sum(pairs) / len(pairs)


def _p_of_divisions(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the part of all ways to divide the values whose U is at least as far from its mean as the observed U."""
    import numpy as np
    from scipy.stats import rankdata

    ranks = rankdata([*first, *second])
    sums = np.array(list(combinations(ranks, len(first)))).sum(axis=1)
    distances = np.abs(sums - sums.mean())
    observed = abs(ranks[: len(first)].sum() - sums.mean())
    return float(np.mean(distances >= observed - _ROUNDING))


def least_p(first: int, second: int) -> float:
    """Return the smallest p that the exact test can give. It is that of samples that do not overlap.

    Args:
        first: The size of the first sample.
        second: The size of the second sample.
    """
    return min(1.0, 2 / math.comb(first + second, first))


def adjust_by_holm(ps: Sequence[float]) -> list[float]:
    """Return p values adjusted for the number of tests (Holm 1979). Those that are at most alpha are significant.

    Args:
        ps: The p values. The result has the same order.
    """
    adjusted = [1.0] * len(ps)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda index: ps[index])):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = largest
    return adjusted


@dataclass(frozen=True, slots=True)
class Needed:
    """The number of further values of each sample that it would take to show a difference.

    Attributes:
        first: The further values of the first sample.
        second: The further values of the second sample.
        at_least: True if the numbers are a lower bound only: fewer values cannot suffice.
    """

    first: int
    second: int
    at_least: bool


def estimate_needed(share: float, first: int, second: int, alpha: float = ALPHA) -> Needed | None:
    """Return how many further values the test would take if the true share were the observed one.

    The estimate is that of Noether (1987, Sample size determination for some common nonparametric tests, JASA 82):
    N = (z_{alpha/2} + z_beta)^2 / (12 c (1 - c) (share - 1/2)^2) values in all, at power 1 - beta = 0.8. The part c of
    them belongs to the first sample. The estimate is never below the number with which the exact test can reach alpha.
    If the samples do not overlap, share is 0 or 1: then the formula says nothing, and that lower bound is all.

    Args:
        share: The part of all pairs in which the first sample's value is greater.
        first: The size of the first sample.
        second: The size of the second sample.
        alpha: The p at which a difference counts.

    Returns:
        The numbers; None if more than 1,000 values of one sample would be needed, which is no practical number.
    """
    part = first / (first + second)
    at_least = share in (0.0, 1.0)
    total = 2.0 if at_least else _noether(share, part, alpha)
    while total <= 2 * MAX_SAMPLE_SIZE:
        sizes = _divided(total, part)
        if max(sizes) > MAX_SAMPLE_SIZE:
            return None
        if least_p(*sizes) <= alpha:
            return Needed(max(0, sizes[0] - first), max(0, sizes[1] - second), at_least)
        total += 1
    return None


def _divided(total: float, part: float) -> tuple[int, int]:
    return math.ceil(part * total - _ROUNDING), math.ceil((1 - part) * total - _ROUNDING)


def _noether(share: float, part: float, alpha: float) -> float:
    from scipy.stats import norm

    if share == 0.5:
        return math.inf
    z = norm.isf(alpha / 2) + norm.isf(1 - POWER)
    return float(z**2 / (12 * part * (1 - part) * (share - 0.5) ** 2))
