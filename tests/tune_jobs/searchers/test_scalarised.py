"""Several objectives for a searcher of one: the weights, the order, and a run that is resumed."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Float, SearchSpace
from tests.support.fakes import experiment
from tests.support.simulation import Simulation
from tune_jobs import Bayesian, Foresight, HyperOpt, NoScheduler, Objective, Random
from tune_jobs.base.objective import PENALTY
from tune_jobs.results import TrialStarted
from tune_jobs.searchers import Searcher
from tune_jobs.searchers.scalarised import scalarised

SPACE = SearchSpace(x=Float(0.0, 1.0), y=Float(0.0, 1.0))
BOTH = [Objective("val_accuracy", "max"), Objective("cost", "min")]


class Traded(Simulation):
    """Accuracy rises with x and the cost with its square; y costs and gains nothing."""

    def result(self, trial: int, epoch: int, config: dict[str, Any]) -> dict[str, Any]:
        report = super().result(trial, epoch, config)
        return {**report, "metrics": {**report["metrics"], "cost": config["x"] ** 2 + config["y"]}}


def traded(searcher: Searcher, **fields: Any) -> Traded:
    declared = experiment(
        space=SPACE, objective=None, objectives=BOTH, searcher=searcher, scheduler=NoScheduler(), max_epochs=2, **fields
    )
    return Traded(declared, workers=1)


def configs(run: Traded) -> list[dict[str, Any]]:
    return [dict(event.config) for event in run.log.events if isinstance(event, TrialStarted)]


LOSSES = st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=20)


@given(LOSSES, st.lists(st.floats(PENALTY, 2 * PENALTY), max_size=3), st.integers(0, 100))
def test_the_order_is_that_of_dominance_and_of_constraints(
    sound: list[tuple[float, float]], broken: list[float], seed: int
) -> None:
    losses = [*sound, *((loss, loss) for loss in broken)]
    scalars = scalarised(losses, np.random.default_rng(seed))
    for first, second in pairwise(range(len(losses))):
        for one, other in ((first, second), (second, first)):
            if losses[one][0] < PENALTY <= losses[other][0]:
                assert scalars[one] < scalars[other]
            elif losses[other][0] < PENALTY and all(a <= b for a, b in zip(losses[one], losses[other], strict=True)):
                assert scalars[one] <= scalars[other]


@given(LOSSES, st.integers(0, 100))
def test_the_units_of_an_objective_do_not_matter(losses: list[tuple[float, float]], seed: int) -> None:
    other_units = [(first, math.atan(second / 1e6)) for first, second in losses]
    if len({second for _, second in other_units}) == len({second for _, second in losses}):
        plain, other = (scalarised(each, np.random.default_rng(seed)) for each in (losses, other_units))
        assert np.array_equal(plain, other)


@pytest.mark.parametrize("searcher", [HyperOpt(), Foresight(), Bayesian()], ids=lambda one: one.NAME)
def test_a_run_that_is_resumed_proposes_the_same(searcher: Searcher) -> None:
    whole = traded(searcher, trials=14).run()
    cut = [event for event in whole.log.events if getattr(event, "trial", 0) < 9][:-1]
    resumed = traded(searcher, trials=14).run(cut)
    assert configs(whole)[-1] == configs(resumed)[-1]
    assert len(resumed.history.trials) == 14


@pytest.mark.parametrize("searcher", [HyperOpt(), Foresight()], ids=lambda one: one.NAME)
def test_a_searcher_looks_where_both_objectives_are_good(searcher: Searcher) -> None:
    def useless(run: Traded) -> float:
        return float(np.mean([config["y"] for config in configs(run)[15:]]))

    assert useless(traded(searcher, trials=40).run()) < 0.7 * useless(traded(Random(), trials=40).run())


def test_a_searcher_that_is_not_made_anew_hears_of_the_first_objective() -> None:
    run = traded(Random(), trials=3).run()
    assert len(run.history.trials) == 3
