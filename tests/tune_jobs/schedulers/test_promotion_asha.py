"""The decisions of ASHA by promotion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import InvalidDeclaration
from tune_jobs.schedulers import ASHA, Pause, Promotion, PromotionASHA, Schedule


def start(max_epochs: int = 9) -> Schedule:
    return PromotionASHA().start(max_epochs, seed=0)


def test_its_rungs_are_those_of_asha() -> None:
    assert PromotionASHA(2, 4).rungs(40) == ASHA(2, 4).rungs(40) == (2, 8, 32)


def test_a_trial_waits_at_a_rung_until_it_is_among_the_best_third() -> None:
    schedule = start()
    assert schedule.report(0, 1, 0.5) == Pause("rung 1: came as place 1 of 1")
    assert schedule.report(1, 1, 0.4) == Pause("rung 1: came as place 1 of 2")
    assert schedule.next_promotion(last=False) is None
    assert schedule.report(2, 1, 0.9) == Pause("rung 1: came as place 3 of 3")
    promotion = Promotion(1, "rung 1: place 1 of 3, the best 1/3 go on")
    assert [schedule.next_promotion(last=False) for _ in range(2)] == [promotion] * 2  # a question changes nothing
    schedule.promote(1)
    assert schedule.next_promotion(last=False) is None


def test_a_trial_that_comes_as_one_of_the_best_third_goes_on_at_once() -> None:
    schedule = start()
    for trial, loss in enumerate([0.5, 0.6]):
        schedule.report(trial, 1, loss)
    assert schedule.report(2, 1, 0.1) is None
    assert schedule.next_promotion(last=False) is None  # one of three is the best third


def test_between_rungs_nothing_is_decided() -> None:
    schedule = start()
    assert all(schedule.report(0, epoch, 9.0) is None for epoch in (2, 4, 5, 6, 7, 8))


def test_the_highest_rung_is_promoted_from_first() -> None:
    schedule = start()
    for trial in range(6):
        schedule.report(trial, 1, 0.1 * (6 - trial))
    for trial in (3, 4, 5):
        schedule.report(trial, 3, 0.1 * (trial + 1))
    schedule.report(6, 1, 0.55)
    schedule.report(7, 1, 0.56)
    schedule.report(8, 1, 0.57)
    assert schedule.next_promotion(last=False) == Promotion(3, "rung 3: place 1 of 3, the best 1/3 go on")


def test_one_trial_is_trained_to_its_end_although_few_came() -> None:
    schedule = start()
    for trial, loss in enumerate([0.3, 0.2]):
        schedule.report(trial, 1, loss)
    assert schedule.next_promotion(last=False) is None
    assert schedule.next_promotion(last=True) == Promotion(1, "rung 1: the best there, and nothing else is left to do")
    schedule.promote(1)
    assert schedule.next_promotion(last=True) is None  # it may be at work
    assert isinstance(schedule.report(1, 3, 0.2), Pause)
    assert schedule.next_promotion(last=True).trial == 1
    schedule.promote(1)
    schedule.end(1)
    assert schedule.next_promotion(last=True) is None


def test_a_trial_that_ended_is_not_promoted() -> None:
    schedule = start()
    for trial, loss in enumerate([0.1, 0.2, 0.3]):
        schedule.report(trial, 1, loss)
    schedule.end(0)
    assert schedule.next_promotion(last=False) is None
    assert schedule.next_promotion(last=True).trial == 1


def test_the_first_of_equally_good_trials_goes_on() -> None:
    schedule = start()
    answers = [schedule.report(trial, 1, 0.5) for trial in range(3)]
    assert [answer.reason for answer in answers] == [f"rung 1: came as place {n} of {n}" for n in (1, 2, 3)]
    assert schedule.next_promotion(last=False).trial == 0


@given(
    losses=st.lists(st.integers(0, 9), min_size=1, max_size=40),
    factor=st.integers(2, 4),
    asked=st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_at_each_moment_the_best_part_of_a_rung_has_gone_on_or_may(
    losses: list[int], factor: int, asked: list[bool]
) -> None:
    schedule = PromotionASHA(reduction_factor=factor).start(max_epochs=factor + 1, seed=0)
    gone: set[int] = set()
    for trial, loss in enumerate(losses):
        if schedule.report(trial, 1, float(loss)) is None:
            gone.add(trial)
        while asked[trial] and (promotion := schedule.next_promotion(last=False)) is not None:
            assert promotion.trial not in gone
            gone.add(promotion.trial)
            schedule.promote(promotion.trial)
        came = sorted(range(trial + 1), key=lambda other: (losses[other], other))
        best = set(came[: (trial + 1) // factor])
        if asked[trial]:
            assert best <= gone
        assert len(gone) <= trial + 1


@pytest.mark.parametrize(
    ("fields", "name"), [({"grace_period": 0}, "grace_period"), ({"reduction_factor": 1}, "reduction_factor")]
)
def test_bad_settings_are_named(fields: dict[str, int], name: str) -> None:
    with pytest.raises(InvalidDeclaration, match=f"`{name}`"):
        PromotionASHA(**fields)
    assert "grace_period" in PromotionASHA(grace_period=10).epoch_problems(10)[0]
