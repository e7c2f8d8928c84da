"""Quartiles, whether two samples differ by more than luck, and how many values it would take to tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

QUARTILES = (0.25, 0.5, 0.75)
ALPHA = 0.05
POWER = 0.8
MOST = 1000
_MOST_DIVISIONS = 20_000
_MOST_PAIRS = 10_000
_ROUNDING = 1e-9


class Spread(NamedTuple):
    """The quartiles of some values."""

    low: float
    median: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """The quartiles of some values, interpolated linearly between them."""
    import numpy as np

    return Spread(*map(float, np.quantile(values, QUARTILES)))


@dataclass(frozen=True, slots=True)
class MannWhitney:
    """What the two-sided Mann-Whitney U test says of two samples.

    Attributes:
        p: The probability of a difference like this, or a greater one, by luck alone.
        share: Of all pairs, the part in which the first sample's value is greater; ties count half. U / (n1 n2).
        exact: Whether p was counted out, and not approximated by a normal distribution.
    """

    p: float
    share: float
    exact: bool


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> MannWhitney:
    """The two-sided Mann-Whitney U test (Mann and Whitney 1947).

    Exact where that is possible: without ties by U's distribution, with ties by all ways to divide few values; else
    by the normal approximation, corrected for ties and continuity. U's distribution and the approximation are SciPy's.

    Args:
        first: One or more values.
        second: One or more values.
    """
    from scipy.stats import mannwhitneyu

    share = _share(first, second)
    different = len({*first, *second})
    if different == 1:  # their variance is 0, by which the approximation divides
        return MannWhitney(1.0, share, exact=True)
    if different < len(first) + len(second):
        if math.comb(len(first) + len(second), len(first)) <= _MOST_DIVISIONS:
            return MannWhitney(_p_of_divisions(first, second), share, exact=True)
        exact = False
    else:
        exact = len(first) * len(second) <= _MOST_PAIRS
    p = mannwhitneyu(first, second, alternative="two-sided", method="exact" if exact else "asymptotic").pvalue
    return MannWhitney(min(1.0, float(p)), share, exact)


def _share(first: Sequence[float], second: Sequence[float]) -> float:
    pairs = [(a > b) + (a == b) / 2 for a in first for b in second]
    return sum(pairs) / len(pairs)


def _p_of_divisions(first: Sequence[float], second: Sequence[float]) -> float:
    """Of all ways to divide the values, the part with a U at least as far from its mean as the one that was seen."""
    import numpy as np
    from scipy.stats import rankdata

    ranks = rankdata([*first, *second])
    sums = np.array(list(combinations(ranks, len(first)))).sum(axis=1)
    distances = np.abs(sums - sums.mean())
    seen = abs(ranks[: len(first)].sum() - sums.mean())
    return float(np.mean(distances >= seen - _ROUNDING))


def least_p(first: int, second: int) -> float:
    """The smallest p that the exact test can give for samples of these sizes: that of samples that do not overlap."""
    return min(1.0, 2 / math.comb(first + second, first))


def holm(ps: Sequence[float]) -> list[float]:
    """P values adjusted for how many there are, in their order (Holm 1979): reject those that are at most alpha."""
    adjusted = [1.0] * len(ps)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda index: ps[index])):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = largest
    return adjusted


@dataclass(frozen=True, slots=True)
class Needed:
    """How many more values of each sample it would take to show a difference.

    Attributes:
        first: Of the first sample.
        second: Of the second.
        at_least: Whether all that is known is that fewer cannot do.
    """

    first: int
    second: int
    at_least: bool


def needed(share: float, first: int, second: int, alpha: float = ALPHA) -> Needed | None:
    """How many more values of each sample the test would take, were the true share the one that was seen.

    Noether (1987, Sample size determination for some common nonparametric tests, JASA 82):
    N = (z_{alpha/2} + z_beta)^2 / (12 c (1 - c) (share - 1/2)^2) values in all, the part c of the first sample, at
    power 1 - beta = 0.8; but never fewer than with which the exact test can reach alpha. Where the samples do not
    overlap, share is 0 or 1, the formula says nothing, and that bound is all.

    Args:
        share: Of all pairs, the part in which the first sample's value is greater.
        first: The size of the first sample.
        second: The size of the second.
        alpha: At which p a difference counts.

    Returns:
        None when more than 1,000 of one sample would be needed: no practical number.
    """
    part = first / (first + second)
    at_least = share in (0.0, 1.0)
    total = 2.0 if at_least else _noether(share, part, alpha)
    while total <= 2 * MOST:
        sizes = _divided(total, part)
        if max(sizes) > MOST:
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
