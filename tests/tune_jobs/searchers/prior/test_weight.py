"""The weight of a prior: a test of ranks, and a decay with the run's own results."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import with_examples
from tune_jobs.searchers.prior.weight import ENOUGH_RESULTS, rank_correlation, share, trust

NUMBERS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=20)


@given(NUMBERS)
@with_examples(50)
def test_the_rank_correlation_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    from scipy.stats import spearmanr

    left, right = (list(map(float, row)) for row in zip(*pairs, strict=True))
    if len(set(left)) > 1 and len(set(right)) > 1:
        assert rank_correlation(left, right) == pytest.approx(spearmanr(left, right).statistic)
    else:
        assert rank_correlation(left, right) == 0.0


def test_a_prior_is_trusted_by_half_before_it_is_tested() -> None:
    assert [trust(-1.0, count) for count in range(ENOUGH_RESULTS)] == [0.5] * ENOUGH_RESULTS
    assert trust(-1.0, ENOUGH_RESULTS) == trust(0.0, 50) == trust(0.1, 50) == 0.0
    assert trust(0.7, ENOUGH_RESULTS) == trust(0.3, 50) == 1.0


def test_chance_is_trusted_in_one_of_ten_tests() -> None:
    rng = np.random.default_rng(0)
    trusted = [trust(rank_correlation(rng.random(12).tolist(), rng.random(12).tolist()), 12) for _ in range(2000)]
    assert 0.07 < np.mean(trusted) < 0.14


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=4), st.integers(0, 1000))
@with_examples(50)
def test_the_shares_decay_and_leave_room_for_the_search(trusts: list[float], results: int) -> None:
    now, later = share(trusts, results), share(trusts, results + 50)
    assert all(0 <= one <= 1 for one in now)
    assert sum(later) <= sum(now) <= max(trusts) + 1e-12
    assert all(part == 0 for part, one in zip(now, trusts, strict=True) if one == 0)
    assert sum(share(trusts, 1000)) == 0  # nothing is computed any more
