"""Foresight learns from curves that were stopped early, and survives whatever curves do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from search_spaces import Choice, Float, Int, SearchSpace
from tune_jobs.searchers import Foresight, Random, Search, Searcher
from tune_jobs.searchers.curve_model import CurveModel, Points, expected_settings, fitted_settings, one_thread
from tune_jobs.searchers.curve_results import NO_TRIAL, CurveResults

SPACE = SearchSpace(
    rate=Float(1e-4, 1e-1, log=True),
    layers=Int(1, 3),
    units=Int(16, 64, step=16).per("layers"),
    optimizer=Choice("adam", "sgd"),
    momentum=Float(0.0, 0.9).when(optimizer="sgd"),
)


def start(searcher: Searcher | None = None, space: SearchSpace = SPACE, rungs: tuple[int, ...] = (1, 3)) -> Search:
    return (searcher or Foresight()).start(space, seed=1, rungs=rungs, max_epochs=9)


def loss_of(config: dict[str, Any], epoch: int) -> float:
    return abs(math.log10(config["rate"]) + 2) + 0.3 * (config["optimizer"] == "adam") + 2.0 / epoch


def tell(search: Search, trial: int, config: dict[str, Any]) -> None:
    """Report a trial; most are stopped after an epoch or three, some fail, few are trained out."""
    last = (1, 1, 3, 1, 9, 1, 2)[trial % 7]
    for epoch in range(1, last + 1):
        search.report(trial, epoch, loss_of(config, epoch))
    if trial % 3 == 1:
        search.pause(trial) if hasattr(search, "pause") else None
    else:
        search.end(trial, failed=trial % 7 == 3, trained_out=last == 9)


def proposals(search: Search, trials: range) -> list[dict[str, Any]]:
    configs = []
    for trial in trials:
        config = search.propose(trial)
        assert isinstance(config, dict)
        assert SPACE.validate(config) == []
        configs.append(config)
        tell(search, trial, config)
    return configs


@pytest.mark.parametrize("cut", [4, 17, 30])
def test_a_resumed_search_proposes_what_it_would_have_proposed(cut: int) -> None:
    whole = proposals(start(), range(34))
    resumed = start()
    for trial, config in enumerate(whole[:cut]):
        resumed.remember(trial, config)
    for trial, config in enumerate(whole[:cut]):
        tell(resumed, trial, config)
    assert proposals(resumed, range(cut, 34)) == whole[cut:]


def test_it_learns_from_trials_that_were_all_stopped_early() -> None:
    def share_of_good(searcher: Searcher) -> float:
        search, good = start(searcher), []
        for trial in range(50):
            config = search.propose(trial)
            assert isinstance(config, dict)
            search.report(trial, 1, loss_of(config, 1))
            search.end(trial, failed=False, trained_out=False)
            good.append(loss_of(config, 1) < 2.5)
        return float(np.mean(good[25:]))

    assert share_of_good(Foresight(random_part=0.0)) > 1.5 * share_of_good(Random())


def test_late_results_overrule_early_ones() -> None:
    """Small x is better after an epoch, large x at the end: three trials that went on show it."""
    space = SearchSpace(x=Float(0.0, 1.0))
    search = start(Foresight(random_part=0.0), space)
    for trial in range(24):
        config = search.propose(trial)
        assert isinstance(config, dict)
        search.report(trial, 1, 2.0 + config["x"])
        if trial % 2 == 0:
            search.report(trial, 3, 1.5)
            search.report(trial, 9, 1.0 - config["x"])
        search.end(trial, failed=False, trained_out=trial % 2 == 0)
    last = [search.propose(trial) for trial in range(24, 30)]
    assert np.mean([config["x"] for config in last if isinstance(config, dict)]) > 0.6


def test_it_keeps_away_from_failures() -> None:
    space = SearchSpace(x=Float(0.0, 1.0), y=Float(0.0, 1.0))
    search, tried = start(Foresight(random_part=0.0), space), []
    for trial in range(40):
        config = search.propose(trial)
        assert isinstance(config, dict)
        tried.append(config["x"])
        if config["x"] > 0.5:
            search.end(trial, failed=True, trained_out=False)
        else:
            search.report(trial, 1, 1.0 - config["x"] + abs(config["y"] - 0.3))
            search.end(trial, failed=False, trained_out=False)
    assert np.mean(np.array(tried[20:]) > 0.5) < 0.35


@pytest.mark.parametrize("losses", [[math.inf], [1.0], [0.0], [-1e300, 1e300], [1e-300]], ids=str)
def test_all_failures_all_equals_and_extremes_are_survived(losses: list[float]) -> None:
    search = start()
    for trial in range(20):
        config = search.propose(trial)
        assert isinstance(config, dict)
        loss = losses[trial % len(losses)]
        if math.isfinite(loss):
            search.report(trial, 1, loss)
        search.end(trial, failed=not math.isfinite(loss), trained_out=False)


@pytest.mark.parametrize("rungs", [(), (1, 3), tuple(range(1, 9))], ids=str)
def test_it_works_with_any_rungs(rungs: tuple[int, ...]) -> None:
    search = start(rungs=rungs)
    assert len({str(config) for config in proposals(search, range(16))}) == 16
    one_epoch = Foresight().start(SPACE, seed=0, rungs=(), max_epochs=1)
    for trial in range(12):
        config = one_epoch.propose(trial)
        assert isinstance(config, dict)
        one_epoch.report(trial, 1, loss_of(config, 1))
        one_epoch.end(trial, failed=False, trained_out=True)


def test_trials_of_other_runs_teach_it_and_are_not_repeated() -> None:
    space = SearchSpace(x=Float(0.0, 1.0, step=0.1))
    search = start(Foresight(random_part=0.0), space)
    for other in range(6):
        search.remember(-1 - other, {"x": other / 10})
        search.report(-1 - other, 9, 1.0 - other / 10)
        search.end(-1 - other, failed=False, trained_out=True)
    first = search.propose(0)
    assert isinstance(first, dict)
    assert first["x"] > 0.55


def test_mistakes_are_reported_all_at_once() -> None:
    with pytest.raises(Exception, match="startup_trials") as caught:
        Foresight(points=3, startup_trials=0, candidates=True, random_part=1.0)  # type: ignore[arg-type]
    assert all(name in str(caught.value) for name in ("points", "startup_trials", "candidates", "random_part"))


def test_scores_keep_the_order_and_late_results_weigh_more() -> None:
    results = CurveResults((1, 3), 9)
    for trial in range(30):
        results.report(trial, 1, float(trial))
    results.report(0, 3, -1.0)
    results.report(1, 2, 0.5)
    results.end(2, failed=True, trained_out=False)
    table = results.results(results.known())
    order = np.argsort(table.scores, kind="stable")
    assert table.trials[order][0] == 0
    assert (table.trials[order][-1], table.epochs[order][-1]) == (2, 9)
    assert (table.trials == 1).sum() == 2  # after one epoch, and the latest
    assert set(results.results([0]).preferred(1, 0).trials) == {0}


def test_the_settings_find_what_matters() -> None:
    rng = np.random.default_rng(0)
    rows = rng.random((60, 3))
    points = Points(rows, rng.integers(0, 3, 60) / 2, np.arange(60), np.zeros(60, dtype=np.intp))
    scores = np.sin(6 * rows[:, 1]) - points.times
    start_at = expected_settings(np.arange(3), 1)
    with one_thread():
        settings = fitted_settings(points, scores, start_at)
        scales = settings.scales
        assert scales[1] < scales[0]
        assert scales[1] < scales[2]
        model = CurveModel(points, scores, settings)
        mean, deviation = model.predict(points)
        elsewhere = Points(rows[:5] + 3.0, np.ones(5), np.full(5, NO_TRIAL), np.zeros(5, dtype=np.intp))
    assert np.abs(mean - scores).max() < 0.3
    assert (model.predict(elsewhere)[1] > deviation.max()).all()


def test_believed_results_change_the_model_as_results_do() -> None:
    rng = np.random.default_rng(1)

    def points(count: int, first: int) -> Points:
        return Points(
            rng.random((count, 2)), rng.integers(0, 3, count) / 2, first + np.arange(count), np.arange(count) % 2
        )

    known, ends, elsewhere = points(40, 0), points(5, 38), points(20, 100)
    scores = np.cos(4 * known.rows[:, 0]) - known.times
    settings = expected_settings(np.arange(2), 2)
    with one_thread():
        model = CurveModel(known, scores, settings)
        believing = model.believing(ends)
        anew = CurveModel(known.joined(ends), np.concatenate([scores, model.means(ends)]), settings)
        for found, expected in zip(believing.predict(elsewhere), anew.predict(elsewhere), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-8)
