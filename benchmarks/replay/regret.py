"""The regret of a search: how far its best result is from the best that anybody found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000


def regrets(best: NDArray[np.float64], zero: float, one: float) -> NDArray[np.float64]:
    """Return the regret of best losses: 0 is the best that anybody found, 1 what the base method has early.

    Args:
        best: The best losses so far, of any shape; infinite where there is none yet.
        zero: The loss whose regret is 0.
        one: The loss whose regret is 1.
    """
    return (best - zero) / (one - zero)


def interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean, and the ends of its 95 % interval, by resampling seeds.

    Args:
        values: The regret of each seed in each world. Shape: (worlds, seeds).
    """
    rng = np.random.default_rng(0)
    means = values.mean(0)
    draws = means[rng.integers(len(means), size=(RESAMPLES, len(means)))].mean(1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(means.mean()), float(low), float(high)
