"""A world that is fitted to a run foretells its trials, and says how far it can be trusted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from search_spaces import Choice, Float, SearchSpace
from tune_jobs import ASHA, HyperOpt, Objective, RequestError
from tune_jobs.replay import replay, what_if
from tune_jobs.replay.fitted import FittedWorld, RecordedTrial, Trust
from tune_jobs.replay.what_if import fitted_world
from tune_jobs.results import EpochReported, History
from tune_jobs.results.history import TrialHistory

SPACE = SearchSpace(x=Float(0.0, 1.0), kind=Choice("a", "b"))


def curve(config: dict[str, Any], noise: float) -> np.ndarray:
    losses = (config["x"] - 0.3) ** 2 + 0.5 * (config["kind"] == "b") + 1 / np.arange(1.0, 10.0) + noise
    return np.minimum.accumulate(losses)


def recorded(count: int, loss: Callable[[dict[str, Any], float], np.ndarray] = curve) -> list[RecordedTrial]:
    """Return trials of which most were stopped early, as ASHA does."""
    rng = np.random.default_rng(0)
    trials = []
    for trial in range(count):
        config = SPACE.sample(rng)
        losses = loss(config, rng.normal(0.0, 0.01))[: (1, 3, 9, 1, 3)[trial % 5]]
        diverged = config["x"] > 0.9
        trials.append(RecordedTrial(config, losses[:1] if diverged else losses, 2.0, diverged))
    return trials


def fitted(trials: list[RecordedTrial]) -> FittedWorld:
    return FittedWorld("fitted", SPACE, 9, trials)


def test_it_foretells_what_it_was_not_told_and_says_so() -> None:
    world = fitted(recorded(60))
    good, bad = ({"x": x, "kind": kind} for x, kind in ((0.3, "a"), (0.8, "b")))
    assert world.curve(good, 0, 0).losses[-1] < world.curve(bad, 0, 0).losses[-1] - 0.3
    assert world.curve(good, 0, 0).losses[-1] == pytest.approx(1 / 9, abs=0.1)
    assert (np.diff(world.curve(good, 0, 0).losses) <= 0).all()
    assert world.curve(good, 0, 0).seconds[0] == pytest.approx(2.0)
    assert world.trust.correlation > 0.7
    assert "well" in str(world.trust)


def test_a_region_that_diverged_diverges() -> None:
    world = fitted(recorded(80))
    assert np.isnan(world.curve({"x": 0.97, "kind": "a"}, 0, 0).losses).any()
    assert not np.isnan(world.curve({"x": 0.3, "kind": "a"}, 0, 0).losses).any()


def test_noise_is_not_trusted() -> None:
    rng = np.random.default_rng(1)
    world = fitted(recorded(60, lambda config, noise: np.sort(rng.random(9))[::-1]))
    assert world.trust.correlation < 0.4
    assert str(world.trust).endswith("do not decide by these figures.")
    assert "cannot be checked" in str(fitted(recorded(60, lambda config, noise: np.ones(9))).trust)
    assert "roughly" in str(Trust(3, 10, 0.5))


def test_a_search_runs_in_it_and_the_same_way_each_time() -> None:
    world = fitted(recorded(40))
    first, again = (replay(world, HyperOpt(), ASHA(), epochs=100, seed=2) for _ in range(2))
    np.testing.assert_array_equal(first.losses, again.losses)
    assert first.best_losses()[-1] >= min(trial.losses.min() for trial in recorded(40)) - 1e-9


def test_trials_without_a_value_are_survived() -> None:
    trials = [*recorded(20), RecordedTrial({"x": 0.5, "kind": "a"}, np.full(3, math.inf), 1.0, False)]
    trials.append(RecordedTrial({"x": 0.95, "kind": "a"}, np.empty(0), 1.0, True))
    assert np.isfinite(fitted(trials).curve({"x": 0.3, "kind": "a"}, 0, 0).losses).all()


def test_more_trials_or_epochs_than_can_be_fitted_are_drawn_with_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what_if, "MOST_TRIALS", 40)
    monkeypatch.setattr(what_if, "MOST_VALUES", 1000)

    def history(count: int) -> History:
        trials = {}
        for number in range(count):
            metrics = {"loss": 1.0 if number != 17 else 0.5}
            epoch = EpochReported(time_s=1.0, trial=number, epoch=1, metrics=metrics, seconds=1.0)
            trials[number] = TrialHistory(number, {"x": 0.5, "kind": "a"}, "here", 1.0, epochs={1: epoch})
        return History(trials)

    def world(count: int, max_epochs: int) -> FittedWorld:
        return fitted_world("run", SPACE, Objective("loss", "min"), max_epochs, history(count))

    assert world(30, 9).trial_count == 30
    assert world(50, 9).trial_count == 40
    few = world(50, 50)
    assert few.trial_count == 20
    assert few.curve({"x": 0.5, "kind": "a"}, 0, 0).losses[0] < 1.0
    with pytest.raises(RequestError, match="up to 101 epochs, but only runs of up to 100 can be replayed"):
        world(60, 101)
