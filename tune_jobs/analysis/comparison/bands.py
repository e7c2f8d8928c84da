"""The best so far of several runs as one curve: its median and quartiles, as step functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tune_jobs.analysis.comparison.statistics import QUARTILES
from tune_jobs.analysis.comparison.trajectory import Step, Trajectory
from tune_jobs.base.objective import Objective

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_EARLY = 0.2


@dataclass(frozen=True, slots=True)
class Band:
    """The quartiles of the best so far; a value holds from its place on.

    Attributes:
        places: Epochs or seconds, float64, (n,), ascending: from where every run has a value to the end of the longest.
        low: The lower quartiles, float64, (n,).
        median: The medians, float64, (n,).
        high: The upper quartiles, float64, (n,).
    """

    places: NDArray[np.float64]
    low: NDArray[np.float64]
    median: NDArray[np.float64]
    high: NDArray[np.float64]


def band(runs: Sequence[Trajectory], place: Callable[[Step | Trajectory], float]) -> Band:
    """The best so far of runs that each have some, as one curve.

    A run that has ended keeps its best while longer ones go on.

    Args:
        runs: How each run got to its best; none without steps.
        place: The epochs, or the seconds, of a step and of the whole.
    """
    import numpy as np

    begin = max(place(run.steps[0]) for run in runs)
    end = max(place(run) for run in runs)
    marks = {place(step) for run in runs for step in run.steps} | {end}
    places = np.array(sorted(mark for mark in marks if mark >= begin), dtype=np.float64)
    values = np.empty((len(runs), len(places)))
    for row, run in zip(values, runs, strict=True):
        found = np.searchsorted([place(step) for step in run.steps], places, side="right") - 1
        row[:] = np.array([step.value for step in run.steps])[found]
    low, median, high = np.quantile(values, QUARTILES, axis=0)
    return Band(places, low, median, high)


def limits(bands: Sequence[Band], objective: Objective) -> tuple[float, float] | None:
    """What part of the objective is worth showing, ascending; None where all of it is one value.

    The first trials are often so bad that they would squeeze everything else: what only they reached is left out.
    """
    import numpy as np

    worst: list[float] = []
    best: list[float] = []
    for each in bands:
        early = each.places[0] + _EARLY * (each.places[-1] - each.places[0])
        shown = np.searchsorted(each.places, early, side="right") - 1
        ends = (float(each.low[-1]), float(each.high[-1]))
        worst.append(max(float(each.median[shown]), *ends, key=objective.loss))
        best.append(min(ends, key=objective.loss))
    low, high = sorted((max(worst, key=objective.loss), min(best, key=objective.loss)))
    margin = 0.05 * (high - low)
    return (low - margin, high + margin) if margin > 0 else None
