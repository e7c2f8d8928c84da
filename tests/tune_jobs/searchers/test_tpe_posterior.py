"""The estimator proposes what HyperOpt's own would, without doing all of its work again for every proposal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hyperopt import tpe
from hyperopt.base import JOB_STATE_DONE, STATUS_OK, Domain, Trials
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import Boolean, Choice, Float, Int, SearchSpace
from search_spaces.adapters.hyperopt import encode, to_hyperopt
from tune_jobs.searchers import HyperOpt, hyperopt_tpe
from tune_jobs.searchers.tpe_posterior import Posterior, good_ones, never_called

EVERY_KIND = SearchSpace(
    layers=Int(1, 3),
    units=Int(16, 64, step=16).per("layers"),
    width=Int(1, 100, log=True),
    rate=Float(1e-4, 1e-1, log=True),
    dropout=Float(0.0, 0.5),
    optimizer=Choice("adam", "sgd", "rmsprop"),
    momentum=Float(0.0, 0.9).when(optimizer="sgd"),
    flip=Boolean(),
)


def by_hyperopt(tried: Sequence[dict[str, float]], gamma: float, seed: int) -> dict[str, float]:
    """What ``hyperopt.tpe.suggest`` proposes after trials, best first."""
    distributions = to_hyperopt(EVERY_KIND)
    documents = [
        {
            **{"tid": place, "state": JOB_STATE_DONE, "spec": None, "exp_key": None, "owner": None, "version": 0},
            **{"book_time": None, "refresh_time": None, "result": {"status": STATUS_OK, "loss": float(place)}},
            "misc": {
                "tid": place,
                "cmd": None,
                "idxs": {label: [place] if label in numbers else [] for label in distributions},
                "vals": {label: [numbers[label]] if label in numbers else [] for label in distributions},
            },
        }
        for place, numbers in enumerate(tried)
    ]
    trials = Trials()
    trials.insert_trial_docs(documents)
    trials.refresh()
    domain = Domain(never_called, distributions)
    (document,) = tpe.suggest([len(tried)], domain, trials, seed, n_startup_jobs=0, gamma=gamma, verbose=False)
    return {label: values[0] for label, values in document["misc"]["vals"].items()}


@pytest.fixture(scope="module")
def posterior() -> Posterior:
    return Posterior(to_hyperopt(EVERY_KIND), prior_weight=1.0, candidates=24)


@settings(max_examples=25, deadline=None)
@given(trials=st.integers(1, 120), gamma=st.floats(0.05, 4.0), seed=st.integers(0, 2**31 - 1))
def test_it_proposes_what_hyperopt_would(posterior: Posterior, trials: int, gamma: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tried = [encode(EVERY_KIND, EVERY_KIND.sample(rng)) for _ in range(trials)]
    table = hyperopt_tpe._Tried(list(to_hyperopt(EVERY_KIND)))
    for trial, numbers in enumerate(tried):
        table.add(trial, numbers)
    proposed = posterior.propose(table.split(range(trials), good_ones(gamma, trials)), seed)
    assert proposed == by_hyperopt(tried, gamma, seed)


def test_the_graph_is_built_once_and_each_trial_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built, told = [], []

    def build(*arguments: Any, **named: Any) -> Any:
        built.append(arguments)
        return build_posterior(*arguments, **named)

    def tell(*arguments: Any) -> Any:
        told.append(arguments)
        return encode(*arguments)

    def refused(*arguments: Any, **named: Any) -> None:
        raise AssertionError("HyperOpt went over all trials again")

    build_posterior = tpe.build_posterior_wrapper
    monkeypatch.setattr(tpe, "build_posterior_wrapper", build)
    monkeypatch.setattr(tpe, "suggest", refused)
    monkeypatch.setattr(Trials, "insert_trial_docs", refused)
    monkeypatch.setattr(hyperopt_tpe, "encode", tell)
    search = HyperOpt().start(EVERY_KIND, seed=0, rungs=(1, 3), max_epochs=9)
    for trial in range(40):
        config = search.propose(trial)
        assert isinstance(config, dict)
        search.report(trial, 9, abs(math.log(config["rate"]) + 6))
        search.end(trial, failed=False, trained_out=True)
    assert len(built) == 1
    assert len(told) == 40
