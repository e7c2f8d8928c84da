"""The order of trials that were trained for different numbers of epochs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tune_jobs.searchers.trial_order import ENOUGH_RESULTS, TrialOrder, TrialRecord, best_first

RUNGS = (1, 3, 9)


def ended(losses: dict[int, float]) -> TrialRecord:
    return TrialRecord(losses=losses, latest_loss=min(losses.values()), ended=True)


def test_with_enough_results_the_highest_rung_decides() -> None:
    records = {n: ended({1: 0.1 * n, 3: 1.0 - 0.1 * n}) for n in range(ENOUGH_RESULTS)}
    assert best_first(records, RUNGS) == list(reversed(range(ENOUGH_RESULTS)))


def test_with_too_few_results_there_the_rung_below_decides() -> None:
    records = {n: ended({1: 0.1 * n}) for n in range(ENOUGH_RESULTS)}
    records[4].losses[3] = 0.0  # the worst at epoch 1, and the only one that was trained on
    assert best_first(records, RUNGS) == [0, 1, 2, 3, 4]


def test_those_stopped_below_follow_and_failures_come_last() -> None:
    records = {n: ended({1: 0.5, 3: 0.1 * n}) for n in range(ENOUGH_RESULTS)}
    records[5] = ended({1: 0.7})
    records[6] = ended({1: 0.6})
    records[7] = TrialRecord(failed=True, ended=True)
    assert best_first(records, RUNGS) == [0, 1, 2, 3, 4, 6, 5, 7]


def test_a_running_trial_below_the_rung_is_left_out() -> None:
    records = {n: ended({1: 0.5, 3: 0.1 * n}) for n in range(ENOUGH_RESULTS)}
    records[5] = TrialRecord(losses={1: 0.0}, latest_loss=0.0)
    assert best_first(records, RUNGS) == [0, 1, 2, 3, 4]


def test_a_trial_that_stopped_itself_counts_at_every_later_rung() -> None:
    order = TrialOrder(RUNGS)
    for trial in range(ENOUGH_RESULTS):
        for epoch in (1, 2, 3):
            order.report(trial, epoch, 1.0 - 0.1 * epoch + 0.01 * trial)
        order.end(trial, failed=False, trained_out=False)
    for epoch in (1, 2):
        order.report(9, epoch, 0.5)
    order.end(9, failed=False, trained_out=True)
    assert order.best_first()[0] == 9


def test_a_first_loss_counts_at_the_rungs_that_were_passed_without_one() -> None:
    order = TrialOrder(RUNGS)
    for trial in range(ENOUGH_RESULTS):
        order.report(trial, 1, 0.1 * trial)
        order.end(trial, failed=False, trained_out=False)
    order.report(9, 3, 0.35)
    order.report(9, 4, 0.05)
    order.end(9, failed=False, trained_out=False)
    assert order.best_first() == [0, 1, 2, 3, 9, 4]


@given(
    st.dictionaries(
        st.integers(0, 30),
        st.tuples(st.lists(st.floats(0, 1), max_size=3), st.booleans(), st.booleans()),
        max_size=20,
    )
)
def test_everyone_that_can_be_judged_appears_once_failures_last(
    trials: dict[int, tuple[list[float], bool, bool]],
) -> None:
    records = {
        trial: TrialRecord(dict(zip(RUNGS, losses, strict=False)), ended=over or failed, failed=failed)
        for trial, (losses, over, failed) in trials.items()
    }
    order = best_first(records, RUNGS)
    assert len(order) == len(set(order))
    failures = {trial for trial, record in records.items() if record.failed}
    assert set(order[len(order) - len(failures) :]) == failures
    assert {trial for trial, record in records.items() if record.ended and record.losses} <= set(order) | failures
