"""Bands: the best objective so far of several runs as one curve, its median between its quartiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tune_jobs.analysis.comparison.statistics import QUARTILES
from tune_jobs.analysis.comparison.trajectory import Improvement, Trajectory
from tune_jobs.base.objective import Objective

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_EARLY = 0.2


@dataclass(frozen=True)
class Band:
    """The quartiles of the best objective so far, as step functions of a cost.

    Each value holds from its cost on.

    Attributes:
        costs: Epochs or seconds, float64, (n,), ascending. The first is the one from which every run has a value, the
            last is the end of the longest run.
        low: The lower quartiles, float64, (n,).
        median: The medians, float64, (n,).
        high: The upper quartiles, float64, (n,).
    """

    costs: NDArray[np.float64]
    low: NDArray[np.float64]
    median: NDArray[np.float64]
    high: NDArray[np.float64]


def make_band(runs: Sequence[Trajectory], cost: Callable[[Improvement | Trajectory], float]) -> Band:
    """Return the best objective so far of several runs as one band.

    A run that has ended keeps its best value while longer runs go on.

    Args:
        runs: The trajectories of the runs; each has an improvement.
        cost: Returns the epochs, or the seconds, of an improvement and of a whole trajectory.
    """
    import numpy as np

    begin = max(cost(run.improvements[0]) for run in runs)
    end = max(cost(run) for run in runs)
    marks = {cost(improvement) for run in runs for improvement in run.improvements} | {end}
    costs = np.array(sorted(mark for mark in marks if mark >= begin), dtype=np.float64)
    values = np.empty((len(runs), len(costs)))
    for row, run in zip(values, runs, strict=True):
        latest = np.searchsorted([cost(improvement) for improvement in run.improvements], costs, side="right") - 1
        row[:] = np.array([improvement.value for improvement in run.improvements])[latest]
    low, median, high = np.quantile(values, QUARTILES, axis=0)
    return Band(costs, low, median, high)


def find_limits(bands: Sequence[Band], objective: Objective) -> tuple[float, float] | None:
    """Return the range of the objective that is worth showing, ascending; None if all bands are one value.

    The first trials are often so bad that they would squeeze everything else. Values that were reached only in the
    first fifth of the cost are left out.

    Args:
        bands: The bands of all strategies, by epochs and by seconds.
        objective: The objective of the runs.
    """
    import numpy as np

    worst: list[float] = []
    best: list[float] = []
    for band in bands:
        early = band.costs[0] + _EARLY * (band.costs[-1] - band.costs[0])
        index = np.searchsorted(band.costs, early, side="right") - 1
        ends = (float(band.low[-1]), float(band.high[-1]))
        worst.append(max(float(band.median[index]), *ends, key=objective.loss))
        best.append(min(ends, key=objective.loss))
    low, high = sorted((max(worst, key=objective.loss), min(best, key=objective.loss)))
    margin = 0.05 * (high - low)
    return (low - margin, high + margin) if margin > 0 else None
