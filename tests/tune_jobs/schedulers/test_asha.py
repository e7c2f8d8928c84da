"""ASHA's rungs and decisions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import InvalidDeclaration
from tune_jobs.schedulers import ASHA, NoScheduler
from tune_jobs.schedulers.asha import bracket_of, goes_on


@given(grace=st.integers(1, 20), factor=st.integers(2, 6), most=st.integers(1, 1000))
def test_rungs_are_powers_below_max_epochs(grace: int, factor: int, most: int) -> None:
    rungs = ASHA(grace_period=grace, reduction_factor=factor).rungs(most)
    assert list(rungs) == [grace * factor**k for k in range(20) if grace * factor**k < most]


def test_rungs_where_a_logarithm_is_off_by_one() -> None:
    assert ASHA(reduction_factor=3).rungs(243) == (1, 3, 9, 27, 81)
    assert ASHA(reduction_factor=10).rungs(1000) == (1, 10, 100)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.integers(2, 5))
def test_the_best_of_a_rung_go_on_and_the_others_do_not(losses: list[float], factor: int) -> None:
    ordered = sorted(losses)
    for loss in losses:
        better = sum(other < loss for other in losses)
        assert goes_on(ordered, loss, factor) == (better == 0 or (better + 1) * factor <= len(losses))


def test_a_rung_in_the_paper_s_words() -> None:
    schedule = ASHA(grace_period=1, reduction_factor=3).start(max_epochs=9, seed=0)
    losses = [0.5, 0.9, 0.4, 0.6, 0.3, 0.45]
    decisions = [schedule.report(trial, 1, loss) for trial, loss in enumerate(losses)]
    # The first goes on. 0.4 and 0.3 are each the best so far. Of six trials, the best two go on: 0.3 and 0.4.
    assert [decision is None for decision in decisions] == [True, False, True, False, True, False]
    assert decisions[1] == "rung 1: place 2 of 2, the best 1/3 go on"


def test_between_rungs_a_trial_goes_on_while_few_came_to_those_that_it_passed() -> None:
    schedule = ASHA().start(max_epochs=9, seed=0)
    assert schedule.report(0, 1, 0.1) is None
    assert all(schedule.report(1, epoch, 9.0) is None for epoch in (2, 4, 5, 6, 7, 8))
    assert schedule.report(1, 3, 9.0) is None  # the first at its rung
    assert schedule.report(2, 3, 10.0) is not None


def test_a_first_trial_that_others_overtake_with_fewer_epochs_is_stopped() -> None:
    schedule = ASHA().start(max_epochs=9, seed=0)
    assert schedule.report(0, 1, 0.9) is None
    assert schedule.report(0, 2, 0.8) is None
    assert schedule.report(1, 1, 0.7) is None
    assert schedule.report(0, 3, 0.8) is None  # two at the rung are too few to be judged by again
    assert schedule.report(2, 1, 0.75) is not None
    assert schedule.report(0, 4, 0.8) == "epoch 4: worse than the best 1/3 of 3 at rung 1"
    assert schedule.report(1, 2, 0.7) is None


def test_a_rung_s_first_is_judged_by_the_rungs_below() -> None:
    schedule = ASHA().start(max_epochs=9, seed=0)
    for trial, loss in enumerate([0.9, 0.2, 0.3]):
        schedule.report(trial, 1, loss)
    assert schedule.report(0, 3, 0.5) == "epoch 3: worse than the best 1/3 of 3 at rung 1"
    assert schedule.report(1, 3, 0.2) is None


@given(
    reports=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9)), max_size=120),
    factor=st.integers(2, 4),
    brackets=st.integers(1, 2),
)
def test_a_trial_stops_when_it_is_worse_than_the_best_part_at_a_rung_that_it_reached(
    reports: list[tuple[int, int]], factor: int, brackets: int
) -> None:
    schedule = ASHA(reduction_factor=factor, brackets=brackets).start(max_epochs=20, seed=0)
    bracket = {trial: bracket_of(trial, 0, brackets) for trial in range(8)}
    at_rung: dict[tuple[int, int], list[float]] = {}
    epochs, best, stopped = dict.fromkeys(range(8), 0), dict.fromkeys(range(8), 10.0), set()
    for trial, loss in reports:
        if trial in stopped or epochs[trial] == 20:
            continue
        epochs[trial] += 1
        best[trial] = min(best[trial], loss)
        passed = [rung for rung in ASHA(reduction_factor=factor).rungs(20)[bracket[trial] :] if rung <= epochs[trial]]
        worse = []
        for rung in passed:
            came = at_rung.setdefault((bracket[trial], rung), [])
            if rung == epochs[trial]:
                came.append(best[trial])
            elif len(came) < factor:
                continue
            worse.append(sum(other < best[trial] for other in came) >= max(1, len(came) // factor))
        reason = schedule.report(trial, epochs[trial], best[trial])
        assert (reason is not None) == any(worse)
        if reason:
            stopped.add(trial)


def test_brackets_are_seeded_kept_and_use_no_global_state() -> None:
    def stops(seed: int) -> list[bool]:
        np.random.seed(len(str(seed)))  # noqa: NPY002 - shows that it does not matter
        schedule = ASHA(brackets=2).start(max_epochs=27, seed=seed)
        return [schedule.report(trial, 1, float(trial)) is not None for trial in range(40)]

    assert stops(3) == stops(3)
    assert stops(3) != stops(4)
    # Trials of the second bracket have no rung at epoch 1: about half of all trials are not stopped there.
    assert 8 < sum(stops(3)) < 32


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"grace_period": 0}, "grace_period"),
        ({"reduction_factor": 1}, "reduction_factor"),
        ({"brackets": 0}, "brackets"),
    ],
)
def test_bad_settings_are_named(fields: dict[str, int], name: str) -> None:
    with pytest.raises(InvalidDeclaration, match=f"`{name}`"):
        ASHA(**fields)


def test_settings_that_could_never_stop_a_trial_are_named() -> None:
    assert "grace_period" in ASHA(grace_period=10).epoch_problems(10)[0]
    assert "brackets" in ASHA(brackets=4).epoch_problems(9)[0]
    assert ASHA(brackets=2).epoch_problems(9) == []


def test_no_scheduler_stops_nothing() -> None:
    schedule = NoScheduler().start(9, 0)
    assert all(schedule.report(trial, 1, float(trial)) is None for trial in range(30))
    assert NoScheduler().rungs(100) == ()
