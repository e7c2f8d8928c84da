"""The Mann-Whitney test, Holm's correction and the sample size, against SciPy, worked cases and simulation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

from tests.support.result_strategies import property_settings
from tune_jobs.analysis.comparison.statistics import (
    ALPHA,
    MAX_SAMPLE_SIZE,
    Needed,
    adjust_by_holm,
    estimate_needed,
    least_p,
    mann_whitney,
)

FEW = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=5)  # few values, so that ties are common


def p_by_hand(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the two-sided p of U, by all ways to divide the values."""

    def share(chosen: Sequence[float], others: Sequence[float]) -> float:
        return sum((a > b) + (a == b) / 2 for a in chosen for b in others)

    everything = [*first, *second]
    middle = len(first) * len(second) / 2
    observed = abs(share(first, second) - middle)
    divisions = list(combinations(range(len(everything)), len(first)))
    as_far = 0
    for chosen in divisions:
        others = [everything[i] for i in range(len(everything)) if i not in chosen]
        as_far += abs(share([everything[i] for i in chosen], others) - middle) >= observed - 1e-9
    return as_far / len(divisions)


@property_settings
@given(FEW, FEW)
def test_p_of_few_values_is_exact_with_and_without_ties(first: list[float], second: list[float]) -> None:
    result = mann_whitney(first, second)
    assert result.exact
    assert result.p == pytest.approx(p_by_hand(first, second))


@property_settings
@given(FEW, FEW, st.randoms(use_true_random=False))
def test_the_order_of_values_and_samples_is_irrelevant(first: list[float], second: list[float], random: Random) -> None:
    result = mann_whitney(first, second)
    shuffled = mann_whitney(random.sample(first, len(first)), random.sample(second, len(second)))
    swapped = mann_whitney(second, first)
    assert (shuffled.p, shuffled.share) == pytest.approx((result.p, result.share))
    assert (swapped.p, 1 - swapped.share) == pytest.approx((result.p, result.share))


def test_a_known_case() -> None:
    # Mann and Whitney's U of 20 values without ties: SciPy's documentation, after Kochhar and Shanmuga (2008).
    males, females = [19, 22, 16, 29, 24], [20, 11, 17, 12]
    result = mann_whitney(males, females)
    assert result.share == 17 / 20
    assert result.p == pytest.approx(0.1111111111111111)
    assert result.exact


def test_many_values_with_ties_are_approximated_and_the_result_says_so() -> None:
    first, second = [float(n % 7) for n in range(40)], [float(n % 5) for n in range(40)]
    result = mann_whitney(first, second)
    assert not result.exact
    assert result.p == pytest.approx(mannwhitneyu(first, second, method="asymptotic").pvalue)


@pytest.mark.parametrize("size", [1, 3, 60])
def test_equal_values_are_no_difference(size: int) -> None:
    result = mann_whitney([0.5] * size, [0.5] * size)
    assert (result.p, result.share) == (1.0, 0.5)


@pytest.mark.parametrize("sizes", [(1, 1), (3, 3), (4, 4), (2, 7), (5, 5)])
def test_the_smallest_p_is_that_of_samples_that_do_not_overlap(sizes: tuple[int, int]) -> None:
    first, second = [float(n) for n in range(sizes[0])], [100.0 + n for n in range(sizes[1])]
    assert least_p(*sizes) == pytest.approx(mann_whitney(first, second).p)


def test_three_against_three_can_never_show_a_difference() -> None:
    assert least_p(3, 3) == pytest.approx(0.1)
    assert least_p(4, 4) <= ALPHA


def test_holm_as_worked_by_hand() -> None:
    # The second may not be more significant than the first: 2 x 0.02 < 3 x 0.014, so it takes its value.
    assert adjust_by_holm([0.02, 0.014, 0.6]) == pytest.approx([0.042, 0.042, 0.6])
    assert adjust_by_holm([0.04]) == [0.04]
    assert adjust_by_holm([]) == []


@property_settings
@given(st.lists(st.floats(0, 1), max_size=6))
def test_holm_never_makes_a_p_smaller_nor_greater_than_bonferroni(ps: list[float]) -> None:
    adjusted = adjust_by_holm(ps)
    for p, after in zip(ps, adjusted, strict=True):
        assert p <= after <= min(1.0, len(ps) * p)
    assert [p for _, p in sorted(zip(ps, adjusted, strict=True))] == sorted(adjusted)


def test_noether_by_hand() -> None:
    # (1.96 + 0.84)^2 / (12 x 1/4 x (0.8 - 0.5)^2) = 29.07 in all: 15 each.
    assert (norm.isf(0.025) + norm.isf(0.2)) ** 2 / (3 * 0.09) == pytest.approx(29.07, abs=0.01)
    assert estimate_needed(0.8, 5, 5) == Needed(10, 10, at_least=False)
    # c = 1/3: 7.849 / (12 x 2/9 x 0.09) = 32.7, of which a third is 11 and two thirds 22.
    assert estimate_needed(0.8, 3, 6) == Needed(8, 16, at_least=False)


def test_without_overlap_the_exact_test_says_how_many() -> None:
    assert estimate_needed(1.0, 3, 3) == Needed(1, 1, at_least=True)
    assert estimate_needed(0.0, 2, 2) == Needed(2, 2, at_least=True)
    assert estimate_needed(1.0, 3, 3, alpha=0.005) == Needed(3, 3, at_least=True)


def test_a_share_near_half_needs_no_practical_number() -> None:
    assert estimate_needed(0.5, 5, 5) is None
    edge = 0.5 + math.sqrt(7.8489 / (3 * 2 * MAX_SAMPLE_SIZE))
    assert estimate_needed(edge - 0.001, 5, 5) is None
    assert estimate_needed(edge + 0.001, 5, 5) is not None


@property_settings
@given(FEW, FEW)
def test_a_difference_that_is_not_significant_needs_more_values(first: list[float], second: list[float]) -> None:
    result = mann_whitney(first, second)
    more = estimate_needed(result.share, len(first), len(second))
    if result.p > ALPHA and more is not None:
        assert more.first + more.second > 0
        assert least_p(len(first) + more.first, len(second) + more.second) <= ALPHA


def test_with_the_estimated_sample_size_the_test_finds_four_in_five() -> None:
    # Two normal samples, so far apart that the first value is greater in 80 % of all pairs.
    shift = math.sqrt(2) * norm.ppf(0.8)
    more = estimate_needed(0.8, 5, 5)
    assert more is not None
    size = 5 + more.first
    rng = np.random.default_rng(0)
    is_found = [
        mannwhitneyu(rng.normal(shift, 1, size), rng.normal(0, 1, size), method="asymptotic").pvalue <= ALPHA
        for _ in range(400)
    ]
    assert 0.75 <= np.mean(is_found) <= 0.95
