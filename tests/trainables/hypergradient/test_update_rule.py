"""The rule on problems whose best rates are known in closed form."""

from __future__ import annotations

import math

import pytest

from trainables.hypergradient.update_rule import adjusted, is_beginning, is_broken, retreated

LIMITS = (1e-8, 100.0)
STEP = 0.2


@pytest.mark.parametrize("start", [1e-3, 1.0, 0.49])
@pytest.mark.parametrize("curvature", [0.01, 1.0, 300.0])
def test_gradient_descent_on_a_parabola_finds_the_rate_that_solves_it_in_one_step(
    start: float, curvature: float
) -> None:
    rate, weight = start / curvature, 1.0
    for _ in range(200):
        before, weight = weight, weight * (1 - rate * curvature)
        gradient, way = curvature * weight, weight - before
        rate = adjusted(rate, math.copysign(1, gradient * way) if gradient * way else math.nan, STEP, LIMITS)
        weight = weight or 1.0
    assert 1 / curvature * math.exp(-STEP) <= rate <= 1 / curvature * math.exp(STEP)


@pytest.mark.parametrize("start", [0.01, 1.0, 50.0])
def test_a_strength_of_decay_becomes_the_one_whose_minimum_is_the_best_on_held_out_data(start: float) -> None:
    best_on_train, best_held_out = 3.0, 1.0  # the minimum of (w - 3)² / 2 + strength w² is 3 / (1 + 2 strength)
    strength = start
    for _ in range(300):
        weight = best_on_train / (1 + 2 * strength)
        gradient, derivative = weight - best_held_out, -weight
        strength = adjusted(strength, math.copysign(1, gradient * derivative), STEP, LIMITS)
    assert math.exp(-STEP) <= strength / 1.0 <= math.exp(STEP)


def test_a_cosine_of_nothing_changes_nothing() -> None:
    assert adjusted(0.1, math.nan, STEP, LIMITS) == 0.1


def test_rates_stay_within_their_limits() -> None:
    assert adjusted(0.1, -1.0, 1.0, (0.05, 0.2)) == 0.2
    assert adjusted(0.1, 1.0, 1.0, (0.05, 0.2)) == 0.05
    assert retreated(0.1, (0.05, 0.2)) == 0.05


def test_the_first_steps_must_lower_the_loss_and_later_ones_must_not_raise_it_by_much() -> None:
    assert is_broken(loss=2.31, before=2.3, first=2.3, falls=2)
    assert is_beginning(2)
    assert not is_beginning(3)
    assert not is_broken(loss=2.31, before=2.3, first=2.3, falls=3)
    assert is_broken(loss=3.5, before=2.3, first=2.3, falls=3)
    assert is_broken(loss=math.nan, before=2.3, first=2.3, falls=3)
