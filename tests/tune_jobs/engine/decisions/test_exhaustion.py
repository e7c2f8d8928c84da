"""A run that has nothing left to try ends, and says so."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import Choice, SearchSpace
from tests.support.fakes import experiment
from tests.support.simulation import Simulation
from tune_jobs.searchers import Bayesian, Grid, HyperOpt, Random, Searcher, Sweep

SMALL = SearchSpace(x=Choice(0.1, 0.2, 0.5, 0.9))


def notes(**fields: Any) -> list[str]:
    return [note.text for note in Simulation(experiment(space=SMALL, **fields)).run().history.notes]


@pytest.mark.parametrize("searcher", [Random(), HyperOpt(), Bayesian(), Grid()], ids=lambda one: one.NAME)
@pytest.mark.parametrize("budget", [{"trials": 50}, {"trials": None, "total_epochs": 5000}], ids=str)
def test_an_exhausted_space_ends_the_run_which_says_so(searcher: Searcher, budget: dict[str, Any]) -> None:
    (told,) = notes(searcher=searcher, **budget)
    ((name, value),) = ((name, value) for name, value in budget.items() if value)
    assert told == (
        f"All 4 configurations of the space were tried: the run ended before its budget was used ({name} {value:,})."
    )


def test_a_searcher_that_ends_is_named() -> None:
    space = SearchSpace(x=Choice(0.1, 0.2), y=Choice(1, 2, 3))
    run = Simulation(experiment(space=space, searcher=Sweep(), trials=30), workers=1).run()
    (note,) = run.history.notes
    assert note.text.startswith(f"Sweep had nothing more to propose after {len(run.history.trials)} trials: the run")


@pytest.mark.parametrize("fields", [{"trials": 4}, {"trials": 3}, {"trials": None, "searcher": Grid()}], ids=str)
def test_a_run_that_did_what_was_asked_says_nothing(fields: dict[str, Any]) -> None:
    assert notes(**{"searcher": Random(), **fields}) == []
