"""Optuna's samplers: every one of them keeps the contract, and hears what became of its trials."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import optuna
import pytest

from search_spaces import Boolean, Choice, Float, Int, SearchSpace
from tests.support.fakes import experiment
from tune_jobs import Optuna
from tune_jobs.errors import RequestError
from tune_jobs.experiment.record import restore_experiment, write_record
from tune_jobs.searchers.libraries.optuna import _OptunaSearch
from tune_jobs.testing import check_searcher

SPACE = SearchSpace(
    layers=Int(1, 3),
    units=Int(8, 64, log=True).per("layers"),
    optimizer=Choice("sgd", "adam"),
    momentum=Float(0.0, 0.9, step=0.1).when(optimizer="sgd"),
)
SAMPLERS: tuple[Any, ...] = (
    "TPESampler",
    "RandomSampler",
    "QMCSampler",
    "NSGAIISampler",
    "NSGAIIISampler",
    optuna.samplers.TPESampler(multivariate=True, group=True, n_startup_trials=3),
    optuna.samplers.PartialFixedSampler({"units": 2}, optuna.samplers.RandomSampler()),
)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda one: one if isinstance(one, str) else type(one).__name__)
def test_every_sampler_keeps_the_contract(sampler: Any) -> None:
    check_searcher(Optuna(sampler))


def test_cma_keeps_the_contract() -> None:
    pytest.importorskip("cmaes")
    check_searcher(Optuna(optuna.samplers.CmaEsSampler(n_startup_trials=2, popsize=4)))


def test_a_gaussian_process_keeps_the_contract() -> None:
    pytest.importorskip("torch")
    check_searcher(Optuna(optuna.samplers.GPSampler(n_startup_trials=3)), trials=6)


class Told:
    """A sampler that keeps the trials of its study."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.studies: list[optuna.Study] = []
        create = optuna.create_study
        monkeypatch.setattr(
            optuna, "create_study", lambda **kind: self.studies.append(create(**kind)) or self.studies[-1]
        )

    @property
    def trials(self) -> list[optuna.trial.FrozenTrial]:
        return self.studies[-1].trials


def test_it_hears_what_became_of_each_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(monkeypatch)
    search = Optuna().start(SPACE, seed=0, rungs=(1, 3), max_epochs=9)
    configs = [search.propose(trial) for trial in range(4)]
    for epoch in (1, 2):
        search.report(0, epoch, 1 / epoch)
        search.report(1, epoch, 2 / epoch)
        search.report(2, epoch, 3 / epoch)
    search.end(0, failed=False, trained_out=True)
    search.end(1, failed=False, trained_out=False)
    search.end(2, failed=True, trained_out=False)
    assert [trial.state.name for trial in told.trials] == ["COMPLETE", "PRUNED", "FAIL", "RUNNING"]
    assert told.trials[0].value == 0.5
    assert told.trials[1].intermediate_values == {1: 2.0, 2: 1.0}
    for trial, config in zip(told.trials, configs, strict=True):
        active = set(SPACE.flatten(config))  # type: ignore[arg-type]
        assert set(trial.params) == active


def test_trials_of_other_runs_are_trials_of_the_study(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(monkeypatch)
    search = Optuna().start(SPACE, seed=0, rungs=(1, 3), max_epochs=9)
    config = {"layers": 1, "units": [8], "optimizer": "sgd", "momentum": 0.3}
    search.remember(-1, config)
    search.report(-1, 1, 0.4)
    search.end(-1, failed=False, trained_out=False)
    (trial,) = told.trials
    assert (trial.state.name, trial.value, trial.params["momentum"], trial.intermediate_values) == (
        "PRUNED",
        0.4,
        3,
        {1: 0.4},
    )


def test_a_finite_space_is_tried_completely_and_nothing_twice() -> None:
    space = SearchSpace(units=Choice(16, 32, 64), bias=Boolean(), rate=Float(0.0, 0.3, step=0.1))
    search = Optuna().start(space, seed=0, rungs=(1, 3), max_epochs=9)
    configs = []
    while isinstance(config := search.propose(len(configs)), dict):
        search.report(len(configs), 1, config["rate"])
        search.end(len(configs), failed=False, trained_out=True)
        configs.append(config)
    assert sorted(map(str, configs)) == sorted(map(str, space.grid()))


def test_the_seed_is_that_of_the_run_whatever_the_sampler_had() -> None:
    def first(seed_there: int | None, seed: int) -> object:
        sampler = optuna.samplers.RandomSampler(seed=seed_there)
        return Optuna(sampler).start(SPACE, seed=seed, rungs=(), max_epochs=9).propose(0)

    assert first(None, 3) == first(5, 3) != first(5, 4)


@pytest.mark.parametrize(
    ("sampler", "told"),
    [
        ("TPE", "is 'TPE', but must be one of CmaEsSampler, GPSampler, NSGAIIISampler, NSGAIISampler, QMCSampler, "),
        ("GridSampler", "is GridSampler: Grid() tries every configuration once"),
        (optuna.samplers.TPESampler, "is the class TPESampler, but must be a name or an object: call TPESampler()"),
        (3, "is 3, but must be a sampler of Optuna"),
        ("PartialFixedSampler", "needs arguments"),
    ],
)
def test_what_is_no_sampler_is_refused(sampler: Any, told: str) -> None:
    with pytest.raises(ValueError, match="sampler") as refused:
        Optuna(sampler)
    assert told in str(refused.value)


def test_without_optuna_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tune_jobs.searchers.libraries.optuna.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'tune-jobs\[optuna\]'"):
        Optuna()


def test_a_run_goes_on_with_the_sampler_that_it_was_begun_with() -> None:
    ours = Optuna(optuna.samplers.TPESampler(multivariate=True))
    record = json.loads(json.dumps(write_record("r", experiment(searcher=ours), "e", None)))
    assert record["searcher"] == {"kind": "optuna", "sampler": "TPESampler(…)"}
    assert restore_experiment(experiment(searcher=ours), record).searcher is ours
    with pytest.raises(RequestError, match="declare the sampler that the run was begun with"):
        restore_experiment(experiment(searcher=Optuna()), record)
    named = {**record, "searcher": Optuna("RandomSampler").to_json()}
    assert restore_experiment(experiment(searcher=ours), named).searcher == Optuna("RandomSampler")
    assert restore_experiment(experiment(), named).searcher == Optuna("RandomSampler")


def test_it_says_nothing_between_the_lines_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    search = Optuna("QMCSampler").start(SPACE, seed=0, rungs=(), max_epochs=9)
    assert isinstance(search, _OptunaSearch)
    for trial in range(4):
        search.propose(trial)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "")
    assert replace(Optuna()) == Optuna()
