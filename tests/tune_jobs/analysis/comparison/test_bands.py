"""Several runs as one curve."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.compared_runs import events_of
from tests.support.result_strategies import accuracy, property_settings
from tune_jobs.analysis.comparison.bands import find_limits, make_band
from tune_jobs.analysis.comparison.trajectory import measure_trajectory

RUNS = st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=8), min_size=1, max_size=5)
MODES = st.sampled_from(["max", "min"])


def paths(runs, mode="max"):
    return [measure_trajectory(events_of(values), accuracy(mode)) for values in runs]


def epochs(place):
    return place.epochs


@property_settings
@given(RUNS, MODES)
def test_the_best_so_far_only_gets_better_and_the_median_lies_in_the_band(runs, mode):
    drawn = make_band(paths(runs, mode), epochs)
    sign = 1 if mode == "max" else -1
    for curve in (drawn.low, drawn.median, drawn.high):
        assert (np.diff(sign * curve) >= -1e-12).all()
    assert (drawn.low <= drawn.median + 1e-12).all()
    assert (drawn.median <= drawn.high + 1e-12).all()
    assert (np.diff(drawn.costs) > 0).all()
    assert drawn.costs[-1] == max(len(values) for values in runs)


@property_settings
@given(RUNS, MODES)
def test_it_is_the_quartiles_of_the_best_so_far_at_every_epoch(runs, mode):
    drawn = make_band(paths(runs, mode), epochs)
    pick = max if mode == "max" else min
    for place, low, median, high in zip(drawn.costs, drawn.low, drawn.median, drawn.high, strict=True):
        best = [pick(values[: int(place)]) for values in runs]
        np.testing.assert_allclose((low, median, high), np.quantile(best, (0.25, 0.5, 0.75)))


@property_settings
@given(RUNS, st.randoms(use_true_random=False))
def test_the_order_of_runs_changes_nothing(runs, random):
    drawn, shuffled = make_band(paths(runs), epochs), make_band(paths(random.sample(runs, len(runs))), epochs)
    np.testing.assert_allclose(drawn.median, shuffled.median)
    np.testing.assert_allclose(drawn.costs, shuffled.costs)


def test_the_first_bad_trials_do_not_squeeze_the_rest():
    improving = [0.05, *np.linspace(0.9, 0.95, 40)]
    low, high = find_limits([make_band(paths([improving]), epochs)], accuracy())
    assert 0.88 < low < 0.91
    assert 0.95 < high < 0.96
    low, high = find_limits([make_band(paths([[10.0, *np.linspace(0.5, 0.4, 40)]], "min"), epochs)], accuracy("min"))
    assert 0.38 < low < 0.4
    assert 0.47 < high < 0.52


@property_settings
@given(RUNS, MODES)
def test_what_was_reached_at_the_end_is_always_shown(runs, mode):
    drawn = make_band(paths(runs, mode), epochs)
    shown = find_limits([drawn], accuracy(mode))
    if shown is not None:
        assert shown[0] <= drawn.low[-1] + 1e-12
        assert drawn.high[-1] <= shown[1] + 1e-12


def test_one_value_has_no_limits():
    assert find_limits([make_band(paths([[0.5, 0.5]]), epochs)], accuracy()) is None
