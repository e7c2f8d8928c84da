"""A space in HyperOpt's terms: proposals lie in the space, frequencies are as declared, and back again."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hyperopt import Trials, rand, tpe
from hyperopt.base import Domain
from hyperopt.pyll import as_apply
from hyperopt.pyll.stochastic import sample
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from search_spaces import Boolean, Choice, Fixed, Float, Int, SearchSpace
from search_spaces.adapters.hyperopt import decode, encode, to_hyperopt
from search_spaces.examples import digits_mlp
from search_spaces.json_values import identity
from search_spaces.space import Config
from tests.support import space_strategies as some
from tests.support.examples import with_examples

DRAWS = 3_000
LISTED = SearchSpace(
    int=Int(3, 6),
    stepped_int=Int(0, 12, step=3),
    log_int=Int(1, 6, log=True),
    powers=Int(2, 32, step=2, log=True),
    stepped=Float(0.0, 0.5, step=0.1),
    factors=Float(1e-4, 1e-1, step=10, log=True),
    choice=Choice("a", None, [1], True),
    boolean=Boolean(),
    float=Float(-1.0, 3.0),
    log_float=Float(1e-5, 1e-1, log=True),
    fixed=Fixed("same"),
    single=Int(4, 4),
)


@pytest.fixture(scope="module")
def proposals() -> list[Config]:
    """Return proposals of HyperOpt's own random search, many at once, because its graph is slow to evaluate."""
    domain = Domain(lambda _: 0.0, to_hyperopt(LISTED))
    _, values = rand.suggest_batch(list(range(DRAWS)), domain, Trials(), seed=11)
    return [decode(LISTED, {label: values[label][draw] for label in values}) for draw in range(DRAWS)]


def test_single_values_have_no_label(proposals: list[Config]) -> None:
    assert to_hyperopt(LISTED).keys() == LISTED.parameters.keys() - {"fixed", "single"}
    assert {(each["fixed"], each["single"]) for each in proposals} == {("same", 4)}


def test_random_proposals_are_all_in_the_space(proposals: list[Config]) -> None:
    assert len(proposals) == DRAWS
    assert not [reason for each in proposals for reason in LISTED.validate(each)]
    types = {name: {type(each[name]) for each in proposals} for name in ("int", "powers", "stepped", "float")}
    assert types == {"int": {int}, "powers": {int}, "stepped": {float}, "float": {float}}


@pytest.mark.parametrize("name", [name for name, each in LISTED.parameters.items() if (each.size or 0) > 1])
def test_proposed_frequencies_are_as_declared(proposals: list[Config], name: str) -> None:
    values = list(LISTED.parameters[name].grid())
    weights = [math.log((k + 0.5) / (k - 0.5)) for k in values] if name == "log_int" else [1] * len(values)
    seen = Counter(identity(each[name]) for each in proposals)
    observed = [seen[identity(value)] for value in values]
    assert chisquare(observed, DRAWS * np.array(weights) / np.sum(weights)).pvalue > 1e-4


def test_proposed_continuous_values_are_as_declared(proposals: list[Config]) -> None:
    assert kstest([(each["float"] + 1) / 4 for each in proposals], "uniform").pvalue > 1e-4
    assert kstest([(np.log10(each["log_float"]) + 5) / 4 for each in proposals], "uniform").pvalue > 1e-4


@with_examples(60)
@given(some.spaces(), st.integers(0, 2**32))
def test_proposals_lie_in_the_space_and_encoding_is_the_inverse(space: SearchSpace, seed: int) -> None:
    expressions = to_hyperopt(space)
    rng = np.random.default_rng(seed)
    drawn = sample(as_apply(expressions), rng=rng) if expressions else {}
    for config in (decode(space, drawn), space.sample(rng)):
        assert space.validate(config) == []
        numbers = encode(space, config)
        assert numbers.keys() == space.flatten(config).keys() & expressions.keys()
        assert decode(space, numbers) == config


def test_every_grid_configuration_round_trips() -> None:
    space = SearchSpace(
        n=Int(0, 2), kind=Choice(None, "x").per("n"), rate=Float(-0.1, 0.2, step=0.1).per("n").when(kind="x")
    )
    assert [decode(space, encode(space, each)) for each in space.grid()] == list(space.grid())


def test_borders_are_clipped_and_inactive_labels_ignored() -> None:
    space = SearchSpace(a=Int(3, 6), b=Float(0.1, 0.3, step=0.1), c=Float(0.0, 1.0), d=Int(1, 2).when(a=3))
    assert decode(space, {"a": 2.0, "b": -0.0, "c": -1e-9, "d": 9.0}) == {"a": 3, "b": 0.1, "c": 0.0, "d": 2}
    assert decode(space, {"a": 7.0, "b": 3.0, "c": 1.1, "d": 9.0}) == {"a": 6, "b": 0.3, "c": 1.0}
    assert encode(space, {"a": 6, "b": 0.3, "c": 1}) == {"a": 6.0, "b": 2.0, "c": 1.0}
    with pytest.raises(ValueError, match="no number for `b`"):
        decode(space, {"a": 3.0})
    with pytest.raises(ValueError, match="a is 9"):
        encode(space, {"a": 9, "b": 0.1, "c": 0.0})


def test_tpe_runs_on_the_labels_and_learns_from_the_active_ones_only() -> None:
    space = digits_mlp.SPACE
    domain = Domain(lambda _: 0.0, to_hyperopt(space))
    trials = Trials()
    for tid in range(30):
        (doc,) = tpe.suggest([tid], domain, trials, seed=tid, n_startup_jobs=10, verbose=False)
        config = decode(space, {label: value[0] for label, value in doc["misc"]["vals"].items() if value})
        assert space.validate(config) == []
        numbers = encode(space, config)
        doc["misc"]["vals"] = {label: [numbers[label]] if label in numbers else [] for label in domain.params}
        doc["misc"]["idxs"] = {label: [tid] if label in numbers else [] for label in domain.params}
        doc["result"] = {"status": "ok", "loss": config["dropout"] + config["layers"]}
        doc["state"] = 2
        trials.insert_trial_docs([doc])
        trials.refresh()
    late = [doc["result"]["loss"] for doc in trials.trials[20:]]
    early = [doc["result"]["loss"] for doc in trials.trials[:10]]
    assert np.mean(late) < np.mean(early)
