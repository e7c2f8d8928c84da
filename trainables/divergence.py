"""When an epoch has diverged: the one rule for trainables, runs and leaderboards."""

from __future__ import annotations

import math
from collections.abc import Mapping


def diverged_metric(metrics: Mapping[str, float], objective: str | None) -> str | None:
    """The metric by which an epoch has diverged, NaN or infinite: the objective or the training loss; None: it has not.

    A network of NaN weights still has an argmax: its accuracy is finite.
    """
    watched = [name for name in (objective, "loss") if name is not None]
    return next((name for name in watched if not math.isfinite(metrics.get(name, 0.0))), None)
