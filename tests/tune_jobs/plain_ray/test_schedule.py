"""A scheduler as the scheduler of Ray's TuneConfig."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tune_jobs import ASHA, NoScheduler, PromotionASHA, RequestError
from tune_jobs.schedulers import Scheduler


def schedule_of(scheduler: Scheduler, mode: str = "min", metric: str = "val_loss") -> Any:
    schedule = scheduler.for_ray(max_epochs=9)
    assert schedule.set_search_properties(metric, mode)
    return schedule


def decisions(schedule: Any, curves: list[list[float]], **others: float) -> list[str]:
    """Report the curves of trials, one trial after another, and return the last decision about each."""
    found = []
    for number, curve in enumerate(curves):
        trial = SimpleNamespace(trial_id=f"t{number}")
        schedule.on_trial_add(None, trial)
        for epoch, value in enumerate(curve, start=1):
            decision = schedule.on_trial_result(
                None, trial, {"training_iteration": epoch, schedule.metric: value, **others}
            )
            if decision == "STOP":
                break
        found.append(f"{decision} {epoch}")
    return found


def test_a_worse_trial_is_stopped_at_its_rung_and_a_good_one_has_all_its_epochs() -> None:
    assert decisions(schedule_of(ASHA()), [[0.5] * 9, [0.9] * 9, [0.4] * 9]) == ["STOP 9", "STOP 1", "STOP 9"]


def test_the_direction_counts() -> None:
    assert decisions(schedule_of(ASHA(), "max"), [[0.5] * 9, [0.4] * 9]) == ["STOP 9", "STOP 1"]


def test_a_trial_that_diverged_is_stopped() -> None:
    nan = float("nan")
    assert decisions(schedule_of(ASHA()), [[nan] * 9, [0.5, nan, 0.1]]) == ["STOP 1", "STOP 2"]


def test_an_objective_that_has_no_value_yet_is_waited_for() -> None:
    nan = float("nan")
    assert decisions(schedule_of(ASHA(), "max", "precision"), [[nan, nan, 0.3]], loss=0.1) == ["CONTINUE 3"]


def test_without_a_scheduler_only_the_last_epoch_stops() -> None:
    assert decisions(schedule_of(NoScheduler()), [[0.5] * 9, [0.9] * 3]) == ["STOP 9", "CONTINUE 3"]


def test_wrong_requests_are_refused() -> None:
    with pytest.raises(RequestError, match="grace_period"):
        ASHA(grace_period=9).for_ray(max_epochs=9)
    with pytest.raises(RequestError, match="mode=None"):
        ASHA().for_ray().set_search_properties("val_loss", None)


def test_a_scheduler_that_pauses_trials_is_refused() -> None:
    with pytest.raises(RequestError, match="PromotionASHA pauses trials, which it cannot do in plain Ray Tune"):
        PromotionASHA().for_ray(max_epochs=9)
