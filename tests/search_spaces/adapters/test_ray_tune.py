"""Ray's dictionaries: the same values and frequencies where a domain has a counterpart, else a refusal."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from ray import tune
from scipy.stats import chisquare

from search_spaces import Choice, Fixed, Float, Int, InvalidDeclaration, SearchSpace, from_ray

DRAWS = 3_000


def test_each_domain_has_its_counterpart() -> None:
    space = from_ray(
        {
            "uniform": tune.uniform(0.1, 0.9),
            "log": tune.loguniform(1e-4, 1e-1),
            "quantised": tune.quniform(0.1, 0.7, 0.1),
            "int": tune.randint(1, 4),
            "log_int": tune.lograndint(1, 10),
            "q_int": tune.qrandint(1, 11, 2),
            "q_one": tune.qrandint(1, 11, 1),
            "q_log_one": tune.qlograndint(1, 11, 1),
            "choice": tune.choice(["a", None, (1, 2)]),
            "grid": tune.grid_search([32, 64]),
            "constant": 7,
            "nested": {"a": [1]},
        }
    )
    assert space == SearchSpace(
        uniform=Float(0.1, 0.9),
        log=Float(1e-4, 1e-1, log=True),
        quantised=Float(0.1, 0.7, step=0.1),
        int=Int(1, 3),
        log_int=Int(1, 9, log=True),
        q_int=Int(2, 10, step=2),
        q_one=Int(1, 10),
        q_log_one=Int(1, 10, log=True),
        choice=Choice("a", None, [1, 2]),
        grid=Choice(32, 64),
        constant=Fixed(7),
        nested=Fixed({"a": [1]}),
    )


@pytest.mark.parametrize(
    "domain",
    [
        tune.randint(1, 6),
        tune.qrandint(2, 10, 2),
        tune.qrandint(1, 11, 3),
        tune.qrandint(3, 7, 1),
        tune.choice([3, 5]),
    ],
    ids=["randint", "qrandint", "qrandint-inwards", "qrandint-one", "choice"],
)
def test_frequencies_are_those_of_ray(domain: Any) -> None:
    parameter = from_ray({"x": domain}).parameters["x"]
    theirs = Counter(domain.sample(size=DRAWS, random_state=np.random.default_rng(1)))
    rng = np.random.default_rng(2)
    ours = Counter(parameter.sample(rng) for _ in range(DRAWS))
    assert theirs.keys() == ours.keys() == set(parameter.grid())
    pooled = np.array([[theirs[value], ours[value]] for value in parameter.grid()])
    assert chisquare(pooled[:, 1], pooled.mean(axis=1) * DRAWS / pooled.mean(axis=1).sum()).pvalue > 1e-4


@pytest.mark.parametrize(
    "domain", [tune.lograndint(1, 8), tune.quniform(0.0, 0.5, 0.1)], ids=["lograndint", "quniform"]
)
def test_values_are_those_of_ray_where_frequencies_are_not(domain: Any) -> None:
    parameter = from_ray({"x": domain}).parameters["x"]
    theirs = np.unique(domain.sample(size=DRAWS, random_state=np.random.default_rng(1))).tolist()
    assert {parameter.index_of(value) for value in theirs} == set(range(parameter.size))


def test_all_that_has_no_counterpart_is_refused_at_once() -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        from_ray(
            {
                "a": tune.randn(0, 1),
                "b": tune.qrandn(0, 1, 0.5),
                "c": tune.qloguniform(0.1, 1.0, 0.1),
                "d": tune.qlograndint(2, 32, 2),
                "e": tune.sample_from(lambda: 1),
                "f": {"units": tune.randint(1, 3)},
                "g": [tune.randint(1, 3)],
                "h": tune.choice([]),
                "i": tune.randint(4, 2),
                "j-k": 3,
                "l": tune.grid_search([[1], {2}]),
                "m": object(),
                "ok": tune.uniform(0, 1),
            }
        )
    starts = [each.split(":")[0] for each in caught.value.problems]
    assert starts[:7] == list("abcdefg")
    text = str(caught.value)
    for part in (
        "h: There are no values",
        "i: The value of `upper` is 1",
        "'j-k'",
        "l: The value {2}",
        "m: The value",
    ):
        assert part in text
    assert "ok" not in starts


@pytest.mark.parametrize("garbage", [None, 3, [], {}])
def test_garbage_is_refused(garbage: Any) -> None:
    with pytest.raises(InvalidDeclaration):
        from_ray(garbage)


def test_importing_the_package_imports_neither_ray_nor_hyperopt_nor_tensorflow() -> None:
    code = "import sys, search_spaces; print({'ray', 'hyperopt', 'tensorflow', 'keras'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"


def test_bounds_that_no_float_can_hold_are_refused() -> None:
    with pytest.raises(InvalidDeclaration, match=r"a: The value of `upper` is 1\d+\.\.\.0+, but must be"):
        from_ray({"a": tune.uniform(0, 10**400)})


def test_a_value_that_is_nested_without_end_is_refused() -> None:
    deep: Any = 1
    for _ in range(2000):
        deep = [deep]
    with pytest.raises(InvalidDeclaration, match=r"a: The value .* is nested more than 32 levels deep"):
        from_ray({"a": deep})
