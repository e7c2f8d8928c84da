"""Lean trials: Ray still calls what they leave out, and a run goes on without the names that they use."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray.train._internal.storage import StorageContext
from ray.tune.experiment import Trial

from tests.support.fakes import experiment
from tests.support.simulated_ray import Declared, SimulatedRun, Workers
from tune_jobs.engine.on_ray.internals import trial as lean_trial
from tune_jobs.engine.on_ray.internals.trial import LeanTrial
from tune_jobs.schedulers import NoScheduler
from tune_jobs.searchers import Random


def made(tmp_path: Path) -> LeanTrial:
    return LeanTrial(7, "7-9", "declared", Declared, StorageContext(str(tmp_path), "run"), {"x": 1})


def test_ray_still_calls_what_a_lean_trial_leaves_out() -> None:
    methods = [name for name, value in vars(LeanTrial).items() if inspect.isfunction(value) and name != "__init__"]
    assert len(methods) == 7
    assert [name for name in (*methods, "last_result") if not hasattr(Trial, name)] == []


def test_ray_still_has_the_names_that_are_not_documented(tmp_path: Path) -> None:
    assert "stub" in inspect.signature(Trial.__init__).parameters
    trial = made(tmp_path)
    assert trial.temporary_state.ray_actor is None
    assert trial.storage.trial_dir_name == "7-9"
    assert str(trial) == trial.trial_id == "7-9"


def test_the_worker_is_remembered_where_ray_looks_for_it(tmp_path: Path) -> None:
    trial, worker = made(tmp_path), object()
    trial.set_ray_actor(worker)
    assert trial.worker is trial.temporary_state.ray_actor is worker


def test_without_the_state_ray_s_own_method_remembers_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered: list[Any] = []
    monkeypatch.setattr(Trial, "set_ray_actor", lambda _, worker: remembered.append(worker))
    trial, worker = made(tmp_path), object()
    del trial.temporary_state
    trial.set_ray_actor(worker)
    assert (trial.worker, remembered) == (worker, [worker])


def test_a_run_goes_on_without_stubs_and_without_names_of_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []
    monkeypatch.setattr(lean_trial, "STUB_OPTION", {})
    monkeypatch.setattr("ray.tune.experiment.trial.validate_trainable", looked_up.append)
    declared = experiment(trials=4, max_epochs=3, searcher=Random(), scheduler=NoScheduler())
    run = SimulatedRun(declared, tmp_path, Workers(3), monkeypatch)
    while not run.controller.is_finished():
        run.step()
    assert len(run.events("trial_ended")) == 4
    assert looked_up == ["declared"] * 4


def test_a_storage_that_names_no_folders_is_no_obstacle() -> None:
    trial = LeanTrial(0, "0-1", "declared", Declared, SimpleNamespace(), {})
    assert trial.storage.trial_dir_name == "0-1"
