"""The trials that keep their weights, and those whose weights are deleted."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import with_examples
from tests.support.trial_events import ended, epoch, started, whole_trial
from tune_jobs.base.objective import Objective
from tune_jobs.engine.decisions.retention import RetentionPolicy
from tune_jobs.experiment.experiment import Keep
from tune_jobs.results import Event, Status, fold, ranking

BEST = Objective("val_accuracy", "max")


def deleted(policy: RetentionPolicy, events: list[Event]) -> list[int]:
    return [trial for event in events for trial in policy.to_delete_after(event)]


def test_who_falls_out_of_the_best_goes_and_nobody_else() -> None:
    policy = RetentionPolicy(2, BEST, lag=0)
    values = [0.5, 0.7, 0.6, 0.1, 0.9]
    gone = [deleted(policy, whole_trial(trial, value)) for trial, value in enumerate(values)]
    assert gone == [[], [], [0], [3], [2]]
    assert policy.all_to_delete() == [0, 2, 3]


def test_a_worker_is_given_time_to_write_its_last_checkpoint() -> None:
    policy = RetentionPolicy("none", BEST, lag=2)
    gone = [deleted(policy, whole_trial(trial, 0.5)) for trial in range(5)]
    assert gone == [[], [], [0], [1], [2]]
    assert policy.all_to_delete() == [0, 1, 2, 3, 4]


def test_trials_that_may_go_on_keep_their_weights() -> None:
    policy = RetentionPolicy(1, BEST, lag=0)
    assert deleted(policy, [started(0), epoch(0, 0.1), *whole_trial(1, 0.5), *whole_trial(2, 0.6)]) == [1]
    assert deleted(policy, [started(1), epoch(1, 0.55, 2)]) == []  # it had ended, and is tried again
    assert policy.all_to_delete() == []


def test_weights_without_a_finite_objective_are_worth_nothing() -> None:
    policy = RetentionPolicy(5, BEST, lag=0)
    assert deleted(policy, [*whole_trial(0, math.nan), started(1), ended(1, Status.FAILED)]) == [0, 1]


def test_everything_is_kept_when_all_is_asked_for() -> None:
    policy = RetentionPolicy("all", BEST, lag=0)
    assert deleted(policy, [event for trial in range(30) for event in whole_trial(trial, trial / 30)]) == []
    assert policy.all_to_delete() == []


@given(
    values=st.lists(st.sampled_from([0.1, 0.2, 0.3, math.nan]), max_size=12),
    keep=st.sampled_from(["none", 1, 3, 20]),
    lag=st.integers(0, 4),
    cut=st.floats(0, 1),
)
@with_examples(60)
def test_what_is_left_are_the_first_ranks_of_the_leaderboard(
    values: list[float], keep: Keep, lag: int, cut: float
) -> None:
    """Also when the run was killed and resumed: the journal is heard again."""
    events = [event for trial, value in enumerate(values) for event in whole_trial(trial, value)]
    killed, policy = RetentionPolicy(keep, BEST, lag), RetentionPolicy(keep, BEST, lag)
    before = deleted(killed, events[: int(cut * len(events))])
    gone = deleted(policy, events)
    ranked = [entry.trial.trial for entry in ranking(fold(events), BEST) if entry.rank]
    kept = ranked[: 0 if keep == "none" else int(keep)]
    assert policy.all_to_delete() == sorted(set(range(len(values))) - set(kept))
    assert len(set(gone)) == len(gone)
    assert set(before) <= set(gone) <= set(policy.all_to_delete())
