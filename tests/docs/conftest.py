"""The working folder in which the examples of docstrings and pages run, with finished runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import tune_jobs
from tune_jobs.loading.loader import load

DIGITS_RUNS = {"digits": 0, "digits-2": 1}
"""The runs of digits_mlp that examples find in ``runs``, each with its seed."""


@pytest.fixture(scope="session")
def digits_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with finished runs, made once by a real Ray. It is copied, never changed."""
    storage = tmp_path_factory.mktemp("digits") / "runs"
    digits = load("digits_mlp")
    for name, seed in DIGITS_RUNS.items():
        tune_jobs.run(
            digits.experiment.override(trials=4, max_epochs=2, seed=seed),
            storage=storage,
            name=name,
            experiment_name=digits.name,
            reference=digits.reference,
        )
    return storage


@pytest.fixture
def work_folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of the test's own. A test that is marked integration finds the finished runs in it."""
    if request.node.get_closest_marker("integration") is not None:
        shutil.copytree(request.getfixturevalue("digits_runs"), tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return tmp_path
