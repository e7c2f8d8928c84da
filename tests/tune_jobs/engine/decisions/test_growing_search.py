"""A space that grows by what trials meet: later trials search it, and a resumed run knows it."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import Choice, Float, Int, SearchSpace
from search_spaces.parameters import parameter_to_json
from tests.support.fakes import MemoryEventLog, NeverTrained, experiment
from trainables.report import Met, MetParameter, Report
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.results import Noted, ParametersMet, coherent, fold
from tune_jobs.schedulers import NoScheduler
from tune_jobs.searchers import Bayesian, Grid, HyperOpt, Random

LATE = MetParameter(parameter=parameter_to_json(Choice(8, 16, 32)), value=8, declared={})


class Asks(NeverTrained):
    """A trainable whose code may ask for further parameters."""

    MEETS_PARAMETERS = True


def declared(searcher: Any, **fields: Any) -> Any:
    space = SearchSpace(x=Int(1, 4))
    common = {"space": space, "trials": 9, "max_epochs": 1, "scheduler": NoScheduler()}
    return experiment(trainable=Asks, searcher=searcher, **{**common, **fields})


def trained(config: dict[str, Any], late: MetParameter = LATE, name: str = "batch") -> Report:
    """Return the report of a trial whose code asks for `batch`, if x is above 1."""
    value = config.get(name, late["value"])
    report = Report(done=True, epoch=1, metrics={"val_accuracy": config["x"] / 10 + value / 1000}, seconds=1.0)
    if config["x"] == 1:
        asked = {"x": config["x"]}
        return report if asked == config else {**report, "met": Met(config=asked, parameters={})}
    if name not in config:
        report["met"] = Met(config={**config, name: value}, parameters={name: late})
    return report


def run(coordinator: Coordinator, most: int = 99, **kinds: Any) -> list[dict[str, Any]]:
    """Train up to so many trials, one after another, and return what they were given."""
    coordinator.begin(cpus=1, gpus=0, max_concurrent_trials=1)
    given = []
    while len(given) < most and isinstance(proposal := coordinator.propose(), tuple):
        trial, config = proposal
        given.append(config)
        coordinator.start(trial, "here")
        coordinator.report(trial, trained(config, **kinds))
    return given


@pytest.mark.parametrize("searcher", [Random(), HyperOpt(startup_trials=2), Bayesian(startup_trials=2)])
def test_later_trials_search_what_an_earlier_one_met(searcher: Any) -> None:
    log = MemoryEventLog()
    given = run(Coordinator(declared(searcher), log))
    met = next(index for index, event in enumerate(log.events) if isinstance(event, ParametersMet))
    first = log.events[met]
    assert isinstance(first, ParametersMet)
    assert first.parameters == {"batch": LATE}
    assert "batch" not in given[first.trial]
    later = given[first.trial + 1 :]
    assert later
    assert all("batch" in config for config in later)
    assert len({config["batch"] for config in later}) > 1
    history = fold(log.events)
    assert history.met == {"batch": LATE}
    for trial in history.trials.values():  # a configuration holds just what was asked for
        assert ("batch" in trial.config) == (trial.config["x"] > 1)
    assert [event.text for event in log.events if isinstance(event, Noted)] == [
        "its code asked for batch, which the space did not have: later trials search it"
    ]


def test_no_configuration_of_a_grid_is_lost_or_comes_twice() -> None:
    log = MemoryEventLog()
    given = run(Coordinator(declared(Grid(), trials=None), log))
    assert given[:2] == [{"x": 1}, {"x": 2}]
    configs = [str(sorted(trial.config.items())) for trial in fold(log.events).trials.values()]
    assert len(given) == 2 + 3 * 4 - 2  # with batch, but for the two that were tried already
    assert sum("'x', 1" not in config for config in configs) == len({c for c in configs if "'x', 1" not in c}) == 9


def test_a_resumed_run_searches_on_in_the_larger_space() -> None:
    log = MemoryEventLog()
    whole = declared(HyperOpt(startup_trials=2))
    run(Coordinator(whole, log), most=4)
    again = MemoryEventLog(list(log.events))
    coordinator = Coordinator(whole, again)
    coordinator.replay(list(coherent(log.events)))
    given = run(coordinator)
    assert len(given) == 5
    assert all("batch" in config for config in given)
    assert sum(isinstance(event, ParametersMet) and bool(event.parameters) for event in again.events) == 1


def test_what_the_searcher_cannot_search_keeps_its_default_and_is_told() -> None:
    log = MemoryEventLog()
    continuum = MetParameter(parameter=parameter_to_json(Float(0.0, 1.0)), value=0.5, declared={})
    given = run(Coordinator(declared(Grid(), trials=None), log), late=continuum, name="rate")
    assert given == [{"x": 1}, {"x": 2}, {"x": 3}, {"x": 4}]
    history = fold(log.events)
    assert history.met == {}
    assert history.trials[3].config == {"x": 4, "rate": 0.5}
    assert "which keeps its default: rate: Its values 0 … 1 are a continuum" in history.notes[0].text


def test_a_condition_goes_with_a_parameter() -> None:
    log = MemoryEventLog()
    late = MetParameter(parameter=parameter_to_json(Choice(8, 16).when(x=[2, 3, 4])), value=8, declared={})
    given = run(Coordinator(declared(Random()), log), late=late)
    assert all("batch" not in config for config in given if config["x"] == 1)


def test_a_plain_run_never_grows() -> None:
    log = MemoryEventLog()
    given = run(Coordinator(experiment(space=SearchSpace(x=Int(1, 4)), max_epochs=1, searcher=Random()), log))
    assert all("batch" not in config for config in given)
    assert not any(isinstance(event, ParametersMet) for event in log.events)
