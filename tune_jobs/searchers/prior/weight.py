"""The weight of a prior: the part of a run's proposals that it makes, by how well it ranks the run's own results."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

ENOUGH_RESULTS = 5
"""The number of own results from which on a prior is tested."""

_FIRST_SHARE = 0.5  # before there is a test: half of the proposals are the search's own
_HALF_LIFE = 10.0  # own results after which a prior that is confirmed makes half of the proposals
_LEAST_SHARE = 0.05  # a smaller one is none: nobody has to compute the test any more
_CHANCE = 1.28  # standard deviations of the rank correlation: chance exceeds them in 1 of 10 tests


def rank_correlation(left: Sequence[float], right: Sequence[float]) -> float:
    """Return Spearman's rank correlation of two equally long rows of numbers; 0 if one of them is constant."""
    a, b = _ranks(left), _ranks(right)
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 0 else 0.0


def trust(correlation: float, results: int) -> float:
    """Return how far a prior is trusted, from 0 to 1.

    Under chance, the correlation times the root of the results minus 1 is nearly normal with a deviation of 1
    (Hotelling and Pabst 1936). A prior that does not rank the own results better than chance does in 9 of 10 tests is
    not trusted at all. It is tested again with each result. To weigh old results by the ranks that they foretell of new
    ones is the idea of ranking-weighted ensembles (Feurer, Letham and Bakshy 2018).

    Args:
        correlation: The rank correlation of what the prior foretold with what came.
        results: The number of own results.
    """
    if results < ENOUGH_RESULTS:
        return _FIRST_SHARE
    return 1.0 if correlation * math.sqrt(results - 1) >= _CHANCE else 0.0


def share(trusts: Sequence[float], results: int) -> list[float]:
    """Return the part of the next proposals that each prior makes.

    The parts decay with the own results, as the exponent of a user's belief does in πBO (Hvarfner, Stoll, Souza,
    Lindauer, Hutter and Nardi 2022), where it is β divided by their number: what a prior knows is known soon.

    Args:
        trusts: How far each prior is trusted.
        results: The number of own results.
    """
    part = _HALF_LIFE / (_HALF_LIFE + max(results - ENOUGH_RESULTS, 0))
    total = sum(trusts)
    if part < _LEAST_SHARE or total == 0:
        return [0.0] * len(trusts)
    return [part * max(trusts) * one / total for one in trusts]


def _ranks(values: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    array = np.asarray(values, dtype=float)
    ascending = np.sort(array)
    first, last = np.searchsorted(ascending, array, "left"), np.searchsorted(ascending, array, "right")
    return np.asarray((first + last - 1) / 2)
