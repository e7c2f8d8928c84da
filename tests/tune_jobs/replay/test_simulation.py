"""Replays: deterministic, with any number of workers, by the decisions of a run."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from search_spaces import Choice, Float, SearchSpace
from tune_jobs import ASHA, Grid, HyperOpt, NoScheduler, Random
from tune_jobs.replay import Curve, replay


class Valley:
    """Curves that fall to a valley over x; those above 0.9 diverge in the third epoch."""

    name = "valley"
    space = SearchSpace(x=Float(0.0, 1.0))
    max_epochs = 9

    def curve(self, config: dict[str, Any], trial: int, seed: int) -> Curve:
        losses = (config["x"] - 0.3) ** 2 + 1 / np.arange(1.0, 10.0)
        if config["x"] > 0.9:
            losses[2:] = math.nan
        return Curve(losses, np.full(9, 2.0))


class Two(Valley):
    """Two configurations."""

    space = SearchSpace(x=Choice(0.25, 0.5))


@pytest.mark.parametrize("workers", [1, 4, 16])
def test_the_same_arguments_give_the_same_course(workers: int) -> None:
    first, again = (replay(Valley(), HyperOpt(), ASHA(), epochs=100, workers=workers, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.losses, again.losses)  # NaN equals NaN
    assert (first.trials, first.time_s, first.configs) == (again.trials, again.time_s, again.configs)
    assert len(first.losses) == 100


def test_workers_share_the_work() -> None:
    alone, four = (replay(Valley(), Random(), NoScheduler(), epochs=72, workers=workers) for workers in (1, 4))
    assert alone.time_s[-1] == 72 * 2.0
    assert four.time_s[-1] == pytest.approx(72 * 2.0 / 4, rel=0.2)


def test_a_worker_takes_its_time_to_start_a_trial() -> None:
    course = replay(Valley(), Random(), NoScheduler(), epochs=9, workers=1, start_s=5.0)
    assert course.time_s == [5.0 + 2.0 * epoch for epoch in range(1, 10)]


def test_asha_saves_epochs_and_divergence_ends_a_trial() -> None:
    course = replay(Valley(), Random(), ASHA(), epochs=200)
    lengths = np.bincount(course.trials)
    assert (lengths == 1).sum() > len(lengths) / 3
    diverged = [trial for trial, config in course.configs.items() if config["x"] > 0.9]
    assert diverged
    assert all(lengths[trial] <= 3 for trial in diverged)


def test_the_best_loss_so_far_never_rises_and_ignores_divergence() -> None:
    best = replay(Valley(), Random(), NoScheduler(), epochs=100).best_losses()
    assert (np.diff(best) <= 0).all()
    assert np.isfinite(best).all()


def test_a_replay_ends_when_nothing_is_left_to_try() -> None:
    course = replay(Two(), Grid(), NoScheduler(), epochs=1000, workers=4)
    assert len(course.losses) == 18
