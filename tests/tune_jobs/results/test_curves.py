"""Learning curves as a table."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given

from tests.support.result_strategies import Trial, events_of, property_settings, random_trials
from tune_jobs.results import fold
from tune_jobs.results.curves import curves


@property_settings
@given(random_trials())
def test_every_epoch_stands_in_its_trials_row(trials: list[Trial]) -> None:
    frame = curves(fold(events_of(trials)), "loss")
    assert list(frame.index) == sorted(trial.number for trial in trials)
    assert list(frame.columns) == list(range(1, max((len(trial.epochs) for trial in trials), default=0) + 1))
    for trial in trials:
        values = [metrics.get("loss", math.nan) for metrics in trial.epochs]
        padded = values + [math.nan] * (len(frame.columns) - len(values))
        np.testing.assert_array_equal(frame.loc[trial.number].to_numpy(), padded)


def test_a_run_without_trials_has_an_empty_table_with_named_axes() -> None:
    frame = curves(fold([]), "loss")
    assert frame.shape == (0, 0)
    assert (frame.index.name, frame.columns.name) == ("trial", "epoch")
