"""The replay of searches: its worlds are deterministic, and its regret is what it says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.replay.regret import interval, regrets
from benchmarks.replay.runs import Task, outcomes, world_of
from benchmarks.replay.synthetic import KINDS, SPACE, SyntheticWorld


@pytest.mark.parametrize("kind", KINDS)
def test_a_synthetic_world_has_curves_of_its_kind(kind: str) -> None:
    world, rng = SyntheticWorld(kind, 1), np.random.default_rng(0)
    configs = [SPACE.sample(rng) for _ in range(100)]
    losses = np.array([world.curve(config, trial, seed=0).losses for trial, config in enumerate(configs)])
    again = np.array([SyntheticWorld(kind, 1).curve(config, trial, 0).losses for trial, config in enumerate(configs)])
    np.testing.assert_array_equal(losses, again)
    diverged = np.isnan(losses).any(1).mean()
    assert abs(diverged - KINDS[kind].divergence) < 0.15
    assert np.nanmin(losses[:, 0]) > np.nanmin(losses[:, -1]) + 0.5  # early losses are high, the best late ones low


def test_an_outcome_is_the_same_in_another_process() -> None:
    tasks = [Task("all-0", method, 1, 60, 4, None) for method in ("random+asha", "random+none")]
    alone, side_by_side = list(outcomes(tasks, 1)), list(outcomes(tasks, 2))
    for one, other in zip(alone, side_by_side, strict=True):
        np.testing.assert_array_equal(one.best, other.best)
        assert one.trials == other.trials


def test_a_world_without_its_data_is_refused() -> None:
    with pytest.raises(ValueError, match="lcbench-189908 needs the folder"):
        world_of("lcbench-189908", None)


def test_the_regret_is_0_at_the_best_and_1_at_the_base() -> None:
    np.testing.assert_allclose(regrets(np.array([0.2, 0.5, 0.8]), zero=0.2, one=0.8), [0.0, 0.5, 1.0])
    mean, low, high = interval(np.array([[0.4, 0.5, 0.6, 0.5], [0.6, 0.5, 0.4, 0.5]]))
    assert (mean, low, high) == pytest.approx((0.5, 0.5, 0.5))
    mean, low, high = interval(np.array([[0.0, 1.0] * 10]))
    assert low < mean < high
