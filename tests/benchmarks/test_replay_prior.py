"""The replay of warm starts: what is done to a prior, and what is measured."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.replay.prior import PRIORS, course_of, epochs_to, lessons_of, parts_of_epochs
from tune_jobs.results import EpochReported, Event, TrialStarted


def curves_of(events: list[Event]) -> list[list[float]]:
    curves: dict[int, list[float]] = {}
    for event in events:
        if isinstance(event, EpochReported):
            curves.setdefault(event.trial, []).append(event.metrics["val_loss"])
    return list(curves.values())


@pytest.mark.parametrize("prior", PRIORS[1:])
def test_a_prior_keeps_the_configurations_and_deals_out_the_curves(prior: str) -> None:
    course = course_of("crossings-0", "random+asha", 3, 40, None)
    plain, events = lessons_of(course, "same", 0), lessons_of(course, prior, 0)
    configs = [[event.config for event in some if isinstance(event, TrialStarted)] for some in (plain, events)]
    assert configs[0] == configs[1]
    before, after = curves_of(plain), curves_of(events)
    assert (before == after) is (prior in ("same", "other"))
    if prior == "shuffled":
        assert sorted(before) == sorted(after)
    if prior == "inverted":
        assert min(curve[0] for curve in after) == -max(curve[0] for curve in before)


def test_the_epochs_that_a_prior_saves_are_a_part_of_all() -> None:
    without = np.tile(np.linspace(1.0, 0.0, 100), (2, 5, 1))
    with_prior = np.maximum(0.0, without - 0.5)
    assert epochs_to(with_prior[0, 0], 0.0) == 51
    assert epochs_to(with_prior[0, 0], -1.0) == 101
    assert parts_of_epochs(with_prior, without, 100) == pytest.approx((0.51, 0.51, 0.51))
