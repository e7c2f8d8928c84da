"""The decisions of population based training, and its exploration."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Boolean, Choice, Float, Int, InvalidDeclaration, SearchSpace
from tests.support.examples import with_examples
from tests.support.fakes import experiment
from tune_jobs.schedulers import Pause, PopulationBased, Schedule
from tune_jobs.schedulers.population_based import explored

SPACE = SearchSpace(rate=Float(1e-4, 1e-1, log=True), units=Choice(16, 32))


def start(size: int, **fields: Any) -> Schedule:
    schedule = PopulationBased(**fields).start_for(SPACE, size, max_epochs=9, seed=0)
    for trial in range(size):
        schedule.add(trial, {"rate": 0.001 * (trial + 1), "units": 16})
    return schedule


def promotions(schedule: Schedule, *, last: bool = False) -> list[tuple[int, int | None]]:
    made = []
    while (promotion := schedule.next_promotion(last=last)) is not None:
        assert schedule.next_promotion(last=last) == promotion  # a question changes nothing
        made.append((promotion.trial, promotion.donor))
        schedule.promote(promotion.trial)
    return made


def test_all_wait_for_the_last_and_the_worst_take_over_from_the_best() -> None:
    schedule = start(8)
    assert all(schedule.report(trial, epoch, 1.0) is None for trial in range(8) for epoch in (1, 2))
    for trial in range(8):
        assert schedule.next_promotion(last=False) is None
        assert schedule.report(trial, 3, 0.1 * trial) == Pause("epoch 3: waits for the other trials")
    made = promotions(schedule)
    assert [trial for trial, _ in made] == [6, 7, 0, 1, 2, 3, 4, 5]  # the donors go on last
    assert all(donor in (0, 1) for _, donor in made[:2])
    assert all(donor is None for _, donor in made[2:])


def test_a_small_population_replaces_one_trial() -> None:
    schedule = start(3)
    for trial, loss in enumerate([0.3, 0.1, 0.2]):
        schedule.report(trial, 3, loss)
    assert promotions(schedule) == [(0, 1), (1, None), (2, None)]


def test_a_trial_that_ended_is_not_waited_for() -> None:
    schedule = start(4)
    for trial in range(3):
        schedule.report(trial, 3, 0.1 * trial)
    assert schedule.next_promotion(last=False) is None
    schedule.end(3)  # it diverged
    assert promotions(schedule) == [(2, 0), (0, None), (1, None)]
    for trial in range(3):
        schedule.report(trial, 6, 0.1 * trial)
    assert promotions(schedule) == [(2, 0), (0, None), (1, None)]


def test_a_trial_without_a_value_is_not_waited_for_and_is_no_donor() -> None:
    schedule = start(3)
    schedule.report(0, 3, 0.5)
    schedule.report(1, 3, 0.4)
    assert schedule.next_promotion(last=False) is None
    assert schedule.report(2, 4, 0.1) is None  # its first value, after the comparison
    assert promotions(schedule) == [(0, 1), (1, None)]


def test_what_is_there_goes_on_if_no_more_come() -> None:
    schedule = start(4)
    schedule.report(0, 3, 0.2)
    schedule.report(1, 3, 0.1)
    assert schedule.next_promotion(last=False) is None
    assert promotions(schedule, last=True) == [(0, 1), (1, None)]


def test_the_explored_configuration_is_the_donor_s_now() -> None:
    schedule = start(2, resample=0.0)
    for epoch, rate in ((3, 0.001), (6, 0.002)):
        schedule.add(0, {"rate": rate, "units": 32})
        schedule.report(1, epoch, 0.9)
        schedule.report(0, epoch, 0.1)
        promotion = schedule.next_promotion(last=False)
        assert promotion.config["rate"] in (pytest.approx(rate * 1.25), pytest.approx(rate / 1.25))
        assert promotion.config["units"] == 32  # an architecture, unless it is named
        promotions(schedule)


def test_decisions_depend_on_the_seed_and_not_on_the_order_of_reports() -> None:
    def decided(seed: int, order: list[int]) -> list[Any]:
        schedule = PopulationBased().start_for(SPACE, 8, max_epochs=9, seed=seed)
        for trial in order:
            schedule.add(trial, {"rate": 0.001 * (trial + 1), "units": 16})
            schedule.report(trial, 3, 0.1 * trial)
        made = []
        while (promotion := schedule.next_promotion(last=False)) is not None:
            made.append(promotion)
            schedule.promote(promotion.trial)
        return made

    assert decided(0, list(range(8))) == decided(0, [7, 1, 3, 0, 2, 6, 5, 4])
    assert len({str(decided(seed, list(range(8)))[:2]) for seed in range(4)}) > 1


WIDE = SearchSpace(
    rate=Float(1e-4, 1e-1, log=True),
    dropout=Float(0.0, 0.5, step=0.1),
    decay=Float(-1.0, 1.0),
    units=Int(16, 64, step=16),
    steps=Int(1, 1000, log=True),
    optimizer=Choice("sgd", "adam"),
    momentum=Float(0.0, 0.99).when(optimizer="sgd"),
    layers=Int(1, 3),
    widths=Float(0.1, 1.0).per("layers"),
    bias=Boolean(),
)


@given(seed=st.integers(0, 10_000), resample=st.sampled_from([0.0, 0.5, 1.0]), named=st.booleans())
@with_examples(80)
def test_exploration_stays_in_the_space(seed: int, resample: float, named: bool) -> None:
    rng = np.random.default_rng(seed)
    config = WIDE.sample(rng)
    parameters = ("rate", "dropout", "units", "steps", "optimizer") if named else ()
    new = explored(WIDE, config, PopulationBased(resample=resample, parameters=parameters), rng)
    assert WIDE.contains(new)
    kept = ("bias", "layers", "widths", "decay") if named else ("bias", "layers", "units", "steps", "optimizer")
    assert all(new[name] == config[name] for name in kept)
    if resample == 0.0:
        ratio = new["rate"] / config["rate"]
        is_at_an_end = any(math.isclose(new["rate"], end) for end in (1e-4, 1e-1))
        assert math.isclose(ratio, 1.25) or math.isclose(ratio, 0.8) or is_at_an_end
        assert abs(new["dropout"] - config["dropout"]) < 0.1 + 1e-9
    if named and resample == 0.0:
        assert abs(new["units"] - config["units"]) in (0, 16)


@pytest.mark.parametrize("resample", [0.0, 1.0])
def test_a_number_neither_becomes_zero_nor_ceases_to_be(resample: float) -> None:
    """A model may have no layer for a dropout of zero, and weights that do not fit fail a trial."""
    space = SearchSpace(dropout=Float(0.0, 0.5, step=0.1))
    rng = np.random.default_rng(0)
    for dropout in (0.0, 0.1, 0.2):
        made = [explored(space, {"dropout": dropout}, PopulationBased(resample=resample), rng) for _ in range(30)]
        assert {config["dropout"] == 0 for config in made} == {dropout == 0}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"interval": 0}, "interval"),
        ({"quantile": 0}, "quantile"),
        ({"quantile": 0.6}, "quantile"),
        ({"resample": 2}, "resample"),
        ({"parameters": (1,)}, "parameters"),
        ({"parameters": "rate"}, "parameters"),
    ],
)
def test_bad_settings_are_named(fields: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidDeclaration, match=f"`{name}`"):
        PopulationBased(**fields)


def test_an_experiment_that_it_cannot_schedule_says_why() -> None:
    def problem(scheduler: PopulationBased, **fields: Any) -> str:
        with pytest.raises(InvalidDeclaration) as raised:
            experiment(**{"space": SPACE, "trials": 4, **fields}, scheduler=scheduler)
        return str(raised.value)

    assert "`interval` is 9, but must be < max_epochs (9)" in problem(PopulationBased(interval=9))
    assert "needs a population of 2 or more" in problem(PopulationBased(), trials=None, total_epochs=9)
    assert "has learning_rate, but the space has only rate, units" in problem(
        PopulationBased(parameters=("learning_rate",))
    )
    assert "No parameter can be explored" in problem(PopulationBased(), space=SearchSpace(units=Choice(16, 32)))
