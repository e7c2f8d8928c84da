"""What an epoch reports, when it has diverged, and which epoch of a trial is the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainables.settings import TrialSettings

if TYPE_CHECKING:  # a journal is read without NumPy, by the same rule of divergence
    import numpy as np


@dataclass(frozen=True)
class Epoch:
    """What one epoch reported.

    Attributes:
        number: Counted from 1.
        metrics: Every metric of the model, by Keras's names.
        seconds: How long it took, validation included.
    """

    number: int
    metrics: Mapping[str, float]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The epoch as JSON values."""
        return {"epoch": self.number, "metrics": dict(self.metrics), "seconds": self.seconds}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Epoch:
        """The inverse of ``to_json``."""
        return cls(state["epoch"], state["metrics"], state["seconds"])


@dataclass(frozen=True)
class Best:
    """The best epoch so far.

    Attributes:
        epoch: The epoch with the best objective (the earliest of equals); None before there is one.
        value: The objective there; None where there is no objective.
        weights: The weights that the model had then.
    """

    epoch: int | None = None
    value: float | None = None
    weights: Sequence[np.ndarray] = ()

    def after(self, epoch: Epoch, settings: TrialSettings, weights: Callable[[], list[np.ndarray]]) -> Best:
        """The best epoch once another one was trained: that one, with its weights, or still this one."""
        value = None if settings.metric is None else epoch.metrics[settings.metric]
        if value is not None and (
            diverged_metric(epoch.metrics, settings.metric) or not self._is_beaten(value, settings)
        ):
            return self
        return Best(epoch.number, value, weights())

    def _is_beaten(self, value: float, settings: TrialSettings) -> bool:
        if self.value is None:
            return True
        return value > self.value if settings.mode == "max" else value < self.value


def diverged_metric(metrics: Mapping[str, float], objective: str | None) -> str | None:
    """The metric by which an epoch has diverged, NaN or infinite: the objective or the training loss; None: it has not.

    A network of NaN weights still has an argmax: its accuracy is finite.
    """
    watched = [name for name in (objective, "loss") if name is not None]
    return next((name for name in watched if not math.isfinite(metrics.get(name, 0.0))), None)
