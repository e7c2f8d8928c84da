"""Bands: the quartiles of the best objective so far of several runs."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.compared_runs import events_of
from tests.support.result_strategies import accuracy, property_settings
from trainables.settings import Mode
from tune_jobs.analysis.comparison.bands import find_limits, make_band
from tune_jobs.analysis.comparison.trajectory import Improvement, Trajectory, measure_trajectory

RUNS = st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=8), min_size=1, max_size=5)
MODES = st.sampled_from(["max", "min"])


def trajectories(runs: Sequence[Sequence[float]], mode: Mode = "max") -> list[Trajectory]:
    return [measure_trajectory(events_of(values), accuracy(mode)) for values in runs]


def limits_of(values: Sequence[float], mode: Mode = "max") -> tuple[float, float]:
    limits = find_limits([make_band(trajectories([values], mode), epochs)], accuracy(mode))
    assert limits is not None
    return limits


def epochs(point: Improvement | Trajectory) -> int:
    return point.epochs


@property_settings
@given(RUNS, MODES)
def test_the_best_so_far_only_gets_better_and_the_median_lies_in_the_band(runs: list[list[float]], mode: Mode) -> None:
    band = make_band(trajectories(runs, mode), epochs)
    sign = 1 if mode == "max" else -1
    for curve in (band.low, band.median, band.high):
        assert (np.diff(sign * curve) >= -1e-12).all()
    assert (band.low <= band.median + 1e-12).all()
    assert (band.median <= band.high + 1e-12).all()
    assert (np.diff(band.costs) > 0).all()
    assert band.costs[-1] == max(len(values) for values in runs)


@property_settings
@given(RUNS, MODES)
def test_it_is_the_quartiles_of_the_best_so_far_at_every_epoch(runs: list[list[float]], mode: Mode) -> None:
    band = make_band(trajectories(runs, mode), epochs)
    pick = max if mode == "max" else min
    for cost, low, median, high in zip(band.costs, band.low, band.median, band.high, strict=True):
        best = [pick(values[: int(cost)]) for values in runs]
        np.testing.assert_allclose((low, median, high), np.quantile(best, (0.25, 0.5, 0.75)))


@property_settings
@given(RUNS, st.randoms(use_true_random=False))
def test_the_order_of_runs_changes_nothing(runs: list[list[float]], random: Random) -> None:
    band = make_band(trajectories(runs), epochs)
    shuffled = make_band(trajectories(random.sample(runs, len(runs))), epochs)
    np.testing.assert_allclose(band.median, shuffled.median)
    np.testing.assert_allclose(band.costs, shuffled.costs)


def test_the_first_bad_trials_do_not_squeeze_the_rest() -> None:
    improving = [0.05, *np.linspace(0.9, 0.95, 40)]
    low, high = limits_of(improving)
    assert 0.88 < low < 0.91
    assert 0.95 < high < 0.96
    low, high = limits_of([10.0, *np.linspace(0.5, 0.4, 40)], "min")
    assert 0.38 < low < 0.4
    assert 0.47 < high < 0.52


@property_settings
@given(RUNS, MODES)
def test_the_values_at_the_end_are_always_within_the_limits(runs: list[list[float]], mode: Mode) -> None:
    band = make_band(trajectories(runs, mode), epochs)
    limits = find_limits([band], accuracy(mode))
    if limits is not None:
        assert limits[0] <= band.low[-1] + 1e-12
        assert band.high[-1] <= limits[1] + 1e-12


def test_one_value_has_no_limits() -> None:
    assert find_limits([make_band(trajectories([[0.5, 0.5]]), epochs)], accuracy()) is None
