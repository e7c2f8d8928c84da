"""Hyperband's brackets and decisions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import InvalidDeclaration
from tune_jobs.schedulers import ASHA, Hyperband


def test_the_brackets_are_those_of_the_paper() -> None:
    # Table 1 of the paper: R = 81, eta = 3.
    assert Hyperband(reduction_factor=3).rungs(81) == (1, 3, 9, 27)
    assert Hyperband(reduction_factor=3).trials_of_brackets(81) == (81, 34, 15, 8, 5)


@given(grace=st.integers(1, 20), factor=st.integers(2, 6), most=st.integers(2, 1000))
def test_rungs_are_whole_parts_of_max_epochs(grace: int, factor: int, most: int) -> None:
    rungs = Hyperband(grace_period=grace, reduction_factor=factor).rungs(most)
    assert all(rung >= grace for rung in rungs)
    assert [-(-most // factor ** (len(rungs) - index)) for index in range(len(rungs))] == list(rungs)
    assert most / factor ** (len(rungs) + 1) < grace


def test_trials_are_compared_within_their_bracket_only() -> None:
    schedule = Hyperband(reduction_factor=3).start(max_epochs=9, seed=0)  # brackets of 9, 5 and 3 trials
    assert Hyperband(reduction_factor=3).trials_of_brackets(9) == (9, 5, 3)
    first = [schedule.report(trial, 1, 1.0 + trial) for trial in range(9)]
    assert [answer is None for answer in first] == [True, *[False] * 8]
    assert first[1] == "rung 1: place 2 of 2, the best 1/3 go on"
    # The second bracket has no rung after 1 epoch, and its first trial at rung 3 goes on, however bad.
    assert all(schedule.report(trial, 1, 50.0) is None for trial in range(9, 14))
    assert schedule.report(9, 3, 50.0) is None
    assert schedule.report(10, 3, 60.0) == "rung 3: place 2 of 2, the best 1/3 go on"
    assert schedule.report(0, 3, 1.0) is None
    # The third bracket has no rung at all.
    assert all(schedule.report(trial, epoch, 99.0) is None for trial in range(14, 17) for epoch in range(1, 9))


def test_the_next_round_is_compared_with_the_first() -> None:
    schedule = Hyperband(reduction_factor=3).start(max_epochs=9, seed=0)
    assert schedule.report(0, 1, 1.0) is None
    assert schedule.report(17, 1, 2.0) == "rung 1: place 2 of 2, the best 1/3 go on"
    assert schedule.report(17 + 9, 1, 9.0) is None  # of the second bracket


@pytest.mark.parametrize(
    ("fields", "name"), [({"grace_period": 0}, "grace_period"), ({"reduction_factor": 1}, "reduction_factor")]
)
def test_bad_settings_are_named(fields: dict[str, int], name: str) -> None:
    with pytest.raises(InvalidDeclaration, match=f"`{name}`"):
        Hyperband(**fields)


def test_settings_without_a_rung_are_named() -> None:
    assert "must have a product <= max_epochs (9)" in Hyperband(grace_period=4).epoch_problems(9)[0]
    assert Hyperband(grace_period=3).epoch_problems(9) == []
    assert Hyperband().epoch_problems(1) == []


def test_it_has_one_rule_with_asha() -> None:
    hyperband, asha = Hyperband().start(9, 0), ASHA().start(9, 0)
    losses = [0.5, 0.9, 0.4, 0.6, 0.3, 0.45]
    assert [hyperband.report(trial, 1, loss) for trial, loss in enumerate(losses)] == [
        asha.report(trial, 1, loss) for trial, loss in enumerate(losses)
    ]
