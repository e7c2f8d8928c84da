"""HyperOpt learns from trials that failed, at no cost where none did."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from search_spaces import Float, SearchSpace
from tune_jobs.searchers import HyperOpt
from tune_jobs.searchers.internals.tpe_posterior import Posterior

LINE = SearchSpace(x=Float(0.0, 1.0))


def proposals(best_at: float, fails_above: float, seed: int = 0, trials: int = 60) -> list[float]:
    """Return the proposals of a run in which a part of the space fails."""
    search = HyperOpt().start(LINE, seed=seed, rungs=(1, 3), max_epochs=9)
    xs = []
    for trial in range(trials):
        config = search.propose(trial)
        assert isinstance(config, dict)
        x = config["x"]
        xs.append(x)
        if x <= fails_above:
            search.report(trial, 9, abs(x - best_at))
        search.end(trial, failed=x > fails_above, trained_out=x <= fails_above)
    return xs


@pytest.mark.parametrize("best_at", [0.25, 0.5])
def test_at_most_a_fifth_of_the_later_proposals_lies_where_all_failed(best_at: float) -> None:
    """The upper half fails. Plain Ray proposes nothing else in the end. The best may lie at the edge of that half."""
    shares = [np.mean([x > 0.5 for x in proposals(best_at, 0.5, seed)[30:]]) for seed in range(8)]
    assert np.mean(shares) <= 0.2


def test_the_best_is_found_although_it_lies_at_the_edge() -> None:
    misses = [min(abs(x - 0.5) for x in proposals(0.5, 0.5, seed) if x <= 0.5) for seed in range(5)]
    assert np.median(misses) < 0.03


def test_failures_count_twice_and_where_nothing_failed_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    observed_counts: list[tuple[int, int]] = []
    propose = Posterior.propose

    def spy(posterior: Posterior, observed: Any, seed: int) -> Any:
        good, others = observed["x"]
        observed_counts.append((len(good) + len(others), len(good)))
        return propose(posterior, observed, seed)

    monkeypatch.setattr(Posterior, "propose", spy)
    proposals(0.25, 1.0, trials=20)
    good = [math.ceil(0.25 * trials**0.5) for trials in range(10, 20)]
    assert observed_counts == list(zip(range(10, 20), good, strict=True))
    observed_counts.clear()
    xs = proposals(0.25, 0.5, trials=20)
    failures = [sum(x > 0.5 for x in xs[:trials]) for trials in range(10, 20)]
    assert [number for number, _ in observed_counts] == [
        trials + more for trials, more in zip(range(10, 20), failures, strict=True)
    ]
    assert [number for _, number in observed_counts] == good
