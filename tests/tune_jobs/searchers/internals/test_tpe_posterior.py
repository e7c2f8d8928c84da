"""The estimator proposes what HyperOpt's own would, without doing all of its work again for every proposal."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Sequence
from typing import Any

import hyperopt.pyll
import numpy as np
import pytest
from hyperopt import tpe
from hyperopt.base import JOB_STATE_DONE, STATUS_OK, Domain, Trials
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Boolean, Choice, Float, Int, SearchSpace
from search_spaces.adapters.hyperopt import encode, to_hyperopt
from tests.support.examples import with_examples
from tune_jobs.searchers import HyperOpt, hyperopt_tpe
from tune_jobs.searchers.hyperopt_tpe import TriedNumbers
from tune_jobs.searchers.internals import tpe_posterior
from tune_jobs.searchers.internals.tpe_posterior import Observed, Posterior, good_count, never_called

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
    """Return what ``hyperopt.tpe.suggest`` proposes after trials, which are listed best first."""
    distributions = to_hyperopt(EVERY_KIND)
    documents = [
        {
            **{"tid": rank, "state": JOB_STATE_DONE, "spec": None, "exp_key": None, "owner": None, "version": 0},
            **{"book_time": None, "refresh_time": None, "result": {"status": STATUS_OK, "loss": float(rank)}},
            "misc": {
                "tid": rank,
                "cmd": None,
                "idxs": {label: [rank] if label in numbers else [] for label in distributions},
                "vals": {label: [numbers[label]] if label in numbers else [] for label in distributions},
            },
        }
        for rank, numbers in enumerate(tried)
    ]
    trials = Trials()
    trials.insert_trial_docs(documents)
    trials.refresh()
    domain = Domain(never_called, distributions)
    (document,) = tpe.suggest([len(tried)], domain, trials, seed, n_startup_jobs=0, gamma=gamma, verbose=False)
    return {label: values[0] for label, values in document["misc"]["vals"].items()}


def drawn_trials(trials: int, seed: int) -> list[dict[str, float]]:
    rng = np.random.default_rng(seed)
    return [encode(EVERY_KIND, EVERY_KIND.sample(rng)) for _ in range(trials)]


def observed_in(tried: Sequence[dict[str, float]], gamma: float) -> Observed:
    table = TriedNumbers(list(to_hyperopt(EVERY_KIND)))
    for trial, numbers in enumerate(tried):
        table.add(trial, numbers)
    return table.split(range(len(tried)), good_count(gamma, len(tried)))


def proposals(searcher: HyperOpt, trials: int) -> list[Any]:
    """Return what a search proposes, one trial after the other."""
    search = searcher.start(EVERY_KIND, seed=0, rungs=(1, 3), max_epochs=9)
    configs = []
    for trial in range(trials):
        config = search.propose(trial)
        assert isinstance(config, dict)
        search.report(trial, 9, abs(math.log(config["rate"]) + 6))
        search.end(trial, failed=False, trained_out=True)
        configs.append(config)
    return configs


@pytest.fixture(scope="module")
def posterior() -> Posterior:
    return Posterior(to_hyperopt(EVERY_KIND), prior_weight=1.0, candidates=24)


@pytest.fixture(scope="module")
def public_posterior() -> Posterior:
    """A posterior in a HyperOpt that has no private names."""
    with pytest.MonkeyPatch.context() as patch:
        hide_the_implementations(patch)
        public = Posterior(to_hyperopt(EVERY_KIND), prior_weight=1.0, candidates=24)
    assert not public.is_compiled
    return public


class ScopeWithoutImplementations:
    """HyperOpt's ``scope`` with all its names but ``_impls``."""

    def __init__(self, scope: Any) -> None:
        self.scope = scope

    def __getattr__(self, name: str) -> Any:
        if name == "_impls":
            raise AttributeError(name)
        return getattr(self.scope, name)


def hide_the_implementations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hyperopt.pyll, "scope", ScopeWithoutImplementations(hyperopt.pyll.scope))


def keep_suggest_working(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give ``suggest`` names of its own, so that others of this module can be removed."""
    suggest: Any = tpe.suggest
    own = types.FunctionType(suggest.__code__, dict(vars(tpe)), "suggest", suggest.__defaults__)
    monkeypatch.setattr(tpe, "suggest", own)


def remove_the_builder(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_suggest_working(monkeypatch)
    monkeypatch.delattr(tpe, "build_posterior_wrapper")


def change_what_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_suggest_working(monkeypatch)
    monkeypatch.setattr(tpe, "build_posterior_wrapper", lambda *arguments, **named: (None, None, (None, [])))


def let_the_program_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **named: Any) -> None:
        raise TypeError("an implementation with other arguments")

    monkeypatch.setattr(tpe_posterior, "_gmm1_lpdf", fail)


def let_the_program_propose_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    instruction = tpe_posterior._instruction

    def nonsense(node: Any, indices: Any) -> Any:
        made = instruction(node, indices)
        return made._replace(compute=lambda *arguments: [math.nan]) if node.name == "broadcast_best" else made

    monkeypatch.setattr(tpe_posterior, "_instruction", nonsense)


@with_examples(25)
@given(trials=st.integers(1, 120), gamma=st.floats(0.05, 4.0), seed=st.integers(0, 2**31 - 1))
def test_it_proposes_what_hyperopt_would(posterior: Posterior, trials: int, gamma: float, seed: int) -> None:
    tried = drawn_trials(trials, seed)
    assert posterior.propose(observed_in(tried, gamma), seed) == by_hyperopt(tried, gamma, seed)
    assert posterior.is_compiled  # this HyperOpt has the private names, and they do what they should


@with_examples(15)
@given(trials=st.integers(1, 120), gamma=st.floats(0.05, 4.0), seed=st.integers(0, 2**31 - 1))
def test_the_public_way_proposes_the_same(public_posterior: Posterior, trials: int, gamma: float, seed: int) -> None:
    tried = drawn_trials(trials, seed)
    assert public_posterior.propose(observed_in(tried, gamma), seed) == by_hyperopt(tried, gamma, seed)


@pytest.mark.parametrize(
    "change",
    [
        hide_the_implementations,
        remove_the_builder,
        change_what_is_built,
        let_the_program_fail,
        let_the_program_propose_nonsense,
    ],
    ids=lambda change: change.__name__,
)
def test_a_search_goes_on_without_the_private_names(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[pytest.MonkeyPatch], None]
) -> None:
    suggested: list[int] = []
    expected = proposals(HyperOpt(), 25)
    change(monkeypatch)
    suggest = tpe.suggest

    def spy(new_ids: list[int], *arguments: Any, **named: Any) -> Any:
        suggested.extend(new_ids)
        return suggest(new_ids, *arguments, **named)

    monkeypatch.setattr(tpe, "suggest", spy)
    assert proposals(HyperOpt(), 25) == expected
    assert suggested == list(range(10, 25))  # all but the startup trials


def test_the_graph_is_built_once_and_each_trial_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built, encoded = [], []

    def build(*arguments: Any, **named: Any) -> Any:
        built.append(arguments)
        return build_posterior(*arguments, **named)

    def spy(*arguments: Any) -> Any:
        encoded.append(arguments)
        return encode(*arguments)

    def refused(*arguments: Any, **named: Any) -> None:
        raise AssertionError("HyperOpt went over all trials again")

    build_posterior = tpe.build_posterior_wrapper
    monkeypatch.setattr(tpe, "build_posterior_wrapper", build)
    monkeypatch.setattr(tpe, "suggest", refused)
    monkeypatch.setattr(Trials, "insert_trial_docs", refused)
    monkeypatch.setattr(hyperopt_tpe, "encode", spy)
    proposals(HyperOpt(), 40)
    assert len(built) == 1
    assert len(encoded) == 40
