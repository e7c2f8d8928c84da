"""The trials of a cross-validation as a frame with the columns of scikit-learn's ``GridSearchCV``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.cross_validation import FIT_SECONDS, FOLD_SCORE
from tune_jobs.results import Status, TrialHistory
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    import pandas as pd


def cv_results(run: Run) -> pd.DataFrame:
    """Return the trials of a run of ``trainables.cross_validated`` as a frame with the columns of ``cv_results_``.

    A trial that was stopped, or that failed, has the scores of its folds, but no mean and no rank.

    Args:
        run: The run.

    Returns:
        A row a trial, in the order of their numbers: ``mean_fit_time``, ``param_…``, ``params``, ``split0_test_score``
        and so on, ``mean_test_score``, ``std_test_score``, ``rank_test_score``.

    Example:
        >>> import tune_jobs
        >>> frame = tune_jobs.cv_results(tune_jobs.load_run("runs/digits"))
        >>> list(frame.columns[-3:])
        ['mean_test_score', 'std_test_score', 'rank_test_score']
    """
    return cv_frame((dict(trial.config), trial) for trial in run.history().trials.values())


def cv_frame(trials: Iterable[tuple[Mapping[str, Any], TrialHistory]]) -> pd.DataFrame:
    """Return the frame of some trials.

    Args:
        trials: The values of each trial by the names that the frame shows, and its history.
    """
    import pandas as pd

    rows = []
    for config, trial in trials:
        scores = [epoch.metrics[FOLD_SCORE] for epoch in trial.epochs.values() if FOLD_SCORE in epoch.metrics]
        times = [epoch.metrics[FIT_SECONDS] for epoch in trial.epochs.values() if FIT_SECONDS in epoch.metrics]
        is_whole = bool(scores) and trial.status is Status.COMPLETED
        rows.append(
            {
                "mean_fit_time": fmean(times) if times else math.nan,
                **{f"param_{name}": value for name, value in config.items()},
                "params": dict(config),
                **{f"split{index}_test_score": score for index, score in enumerate(scores)},
                "mean_test_score": fmean(scores) if is_whole else math.nan,
                "std_test_score": float(np.std(scores)) if is_whole else math.nan,
            }
        )
    frame = pd.DataFrame(rows)
    if len(frame):
        frame["rank_test_score"] = frame["mean_test_score"].rank(ascending=False, method="min").astype("Int64")
    return frame
