"""The schedule that population based training found, and the run that trains it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes import experiment
from tests.support.runs import make_run
from tests.support.simulation import Simulation
from tune_jobs import RequestError, found_schedule
from tune_jobs.results import TrialPromoted
from tune_jobs.results.run import Run
from tune_jobs.schedulers import PopulationBased
from tune_jobs.searchers import HyperOpt, Random


@pytest.fixture
def run(tmp_path: Path) -> Run:
    declared = experiment(trials=5, searcher=Random(), scheduler=PopulationBased(interval=2))
    return make_run(tmp_path, events=Simulation(declared).run().log.events, experiment=declared)


def scores(events: Any, trial: int) -> list[float]:
    return [event.metrics["val_accuracy"] for event in events[trial].epochs.values()]


def test_what_it_found_is_trained_again(run: Run) -> None:
    takers = {event.trial for event in run.events() if isinstance(event, TrialPromoted) and event.donor is not None}
    trials = run.history().trials
    for trial in trials:
        found = found_schedule(run, trial)
        if not found.scheduler.steps:
            assert trial not in takers
            continue
        declared = experiment(trials=1, searcher=HyperOpt(points=[dict(found.first)]), scheduler=found.scheduler)
        again = Simulation(declared).run().history.trials
        assert scores(again, 0) == scores(trials, trial)
        assert found.trials[-1] == trial
        assert again[0].config == trials[trial].config


def test_a_trial_that_took_nothing_over_has_one_configuration(run: Run) -> None:
    best = found_schedule(run)
    assert best.first == run.history().trials[best.trials[0]].config
    with pytest.raises(RequestError, match="has no trial 77"):
        found_schedule(run, 77)
