"""The decisions of MedianStopping."""

from __future__ import annotations

from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import InvalidDeclaration
from tune_jobs.schedulers import MedianStopping


def test_a_trial_below_the_median_stops_at_its_first_epoch() -> None:
    schedule = MedianStopping().start(max_epochs=10, seed=0)
    assert [schedule.report(trial, 1, loss) for trial, loss in enumerate([0.9, 0.5, 0.7])] == [None, None, None]
    assert schedule.report(3, 1, 0.8) == "epoch 1: worse than the median of 3 other trials"
    assert schedule.report(4, 1, 0.75) is None  # as good as the median of 0.5, 0.7, 0.8, 0.9


def test_the_others_count_with_their_running_averages() -> None:
    schedule = MedianStopping(min_trials=1).start(max_epochs=10, seed=0)
    for epoch, loss in enumerate([0.9, 0.6, 0.3], start=1):
        assert schedule.report(0, epoch, loss) is None
    # At epoch 3 the other trial's average is 0.6, although its best is 0.3.
    assert schedule.report(1, 1, 0.9) is None
    assert schedule.report(1, 2, 0.7) is None
    assert schedule.report(1, 3, 0.59) is None
    assert schedule.report(2, 1, 0.8) is None
    assert schedule.report(2, 3, 0.8) == "epoch 3: worse than the median of 2 other trials"


def test_nothing_stops_in_the_grace_period_or_while_few_others_are_there() -> None:
    schedule = MedianStopping(grace_period=3, min_trials=2).start(max_epochs=10, seed=0)
    for trial in (0, 1):
        assert all(schedule.report(trial, epoch, 0.1) is None for epoch in range(1, 6))
    assert [schedule.report(2, epoch, 9.0) is None for epoch in (1, 2, 3)] == [True, True, False]
    assert schedule.report(0, 6, 9.0) is None  # nobody else came there


@given(
    curves=st.lists(st.lists(st.integers(0, 9), min_size=6, max_size=6), min_size=1, max_size=12),
    grace=st.integers(1, 3),
    least=st.integers(1, 4),
)
def test_decisions_are_those_of_the_rule(curves: list[list[int]], grace: int, least: int) -> None:
    schedule = MedianStopping(grace, least).start(max_epochs=7, seed=0)
    averages: dict[int, list[float]] = {epoch: [] for epoch in range(1, 7)}
    for trial, curve in enumerate(curves):
        bests = [float(min(curve[: epoch + 1])) for epoch in range(6)]
        for epoch in range(1, 7):
            others = averages[epoch]
            stops = epoch >= grace and len(others) >= least and bests[epoch - 1] > median(others)
            answer = schedule.report(trial, epoch, bests[epoch - 1])
            averages[epoch].append(fmean(bests[:epoch]))
            assert (answer is not None) == stops
            if stops:
                break


def test_searchers_compare_trials_at_doubled_epochs() -> None:
    assert MedianStopping().rungs(10) == (1, 2, 4, 8)
    assert MedianStopping(grace_period=3).rungs(12) == (3, 6)


@pytest.mark.parametrize("name", ["grace_period", "min_trials"])
def test_bad_settings_are_named(name: str) -> None:
    with pytest.raises(InvalidDeclaration, match=f"`{name}`"):
        MedianStopping(**{name: 0})
    assert "grace_period" in MedianStopping(grace_period=10).epoch_problems(10)[0]
