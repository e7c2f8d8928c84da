"""Learning curves: one metric of every trial, epoch by epoch."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tune_jobs.results.history import History


def curves(history: History, metric: str) -> pd.DataFrame:
    """Return one metric of every trial, epoch by epoch.

    Args:
        history: The history of the run.
        metric: The metric's name.

    Returns:
        A row per trial, indexed by its number, and a column per epoch, from 1 to the last that any trial trained.
        Values are float64; NaN where a trial did not train, or did not report the metric.
    """
    last = max((max(trial.epochs, default=0) for trial in history.trials.values()), default=0)
    values = np.full((len(history.trials), last), np.nan)
    for row, trial in zip(values, history.trials.values(), strict=True):
        for epoch in trial.epochs.values():
            row[epoch.epoch - 1] = epoch.metrics.get(metric, np.nan)
    return pd.DataFrame(
        values,
        index=pd.Index(list(history.trials), dtype="int64", name="trial"),
        columns=pd.RangeIndex(1, last + 1, name="epoch"),
    )
