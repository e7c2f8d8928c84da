"""The losses of trials under Ray's ``Tuner``: by the objective of the ``TuneConfig``, the best of each trial so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast, get_args

from trainables.report import has_objective
from trainables.settings import Mode, as_loss
from tune_jobs.errors import RequestError


def check_objective(metric: str | None, mode: str | None, part: str) -> None:
    """Raise unless a ``TuneConfig`` has an objective.

    Args:
        metric: Its metric.
        mode: Its mode.
        part: What needs the objective: "a searcher".

    Raises:
        RequestError: There is none.
    """
    if metric is None or mode not in get_args(Mode):
        raise RequestError(
            f"The TuneConfig has metric={metric!r} and mode={mode!r}, but {part} needs both: give "
            'TuneConfig(metric="val_loss", mode="min", …).'
        )


def numbers_of(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a result of Ray Tune, by name."""
    return {name: value for name, value in result.items() if isinstance(value, int | float)}


class BestLosses(dict[int, float]):
    """The best loss of each trial so far, by the trial's number; a trial without any value has none."""

    def add(self, trial: int, result: Mapping[str, Any], metric: str | None, mode: str | None) -> float | None:
        """Take in a result, and return the trial's best loss so far; None if it has no value yet.

        Args:
            trial: The number of the trial.
            result: The result of Ray Tune.
            metric: The name of the objective's metric.
            mode: Its direction.
        """
        numbers = numbers_of(result)
        if metric is not None and has_objective(numbers, metric):
            self[trial] = min(self.get(trial, math.inf), as_loss(float(numbers[metric]), cast(Mode, mode)))
        return self.get(trial)
