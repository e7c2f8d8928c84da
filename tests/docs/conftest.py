"""The working folder in which the examples of docstrings and pages run, with finished runs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import tune_jobs
from tests.support.cli_runs import make_digits_run
from tests.support.fake_cluster import FakeJobs, FakeServer
from tests.support.shared_ray import SharedRay
from tune_jobs.cluster.jobs import job, submit
from tune_jobs.cluster.jobs.state import RUN, STORAGE
from tune_jobs.loading.loader import load

DIGITS_RUNS = {"digits": 0, "digits-2": 1}
"""The runs of digits_mlp that examples find in ``runs``, each with its seed."""

SWEPT_RUN = "digits-swept"
SWEEP = tune_jobs.Sweep(steps=("layers", "optimizer"), start={"learning_rate": 0.01, "momentum": 0.9})
"""The run of a sweep that the example of ``sweep_path`` finds beside them, and its searcher."""


@pytest.fixture(scope="session")
def digits_runs(tmp_path_factory: pytest.TempPathFactory, shared_ray: SharedRay) -> Path:
    """A folder with finished runs, made once by a real Ray. It is copied, never changed."""
    storage = tmp_path_factory.mktemp("digits") / "runs"
    digits = load("digits_mlp")
    experiments = {
        **{name: digits.experiment.override(trials=4, max_epochs=2, seed=seed) for name, seed in DIGITS_RUNS.items()},
        SWEPT_RUN: digits.experiment.override(searcher=SWEEP, max_epochs=2),
    }
    with pytest.MonkeyPatch.context() as patch:
        shared_ray.set(patch)
        for name, experiment in experiments.items():
            tune_jobs.run(
                experiment,
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
        request.getfixturevalue("warm")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass
class FinishedJobs(FakeJobs):
    """A Jobs server whose jobs have ended well by the time that anybody asks for them.

    Attributes:
        storage: The folder that stands for every storage of the cluster.
    """

    storage: Path = Path()

    def submit_job(self, **job: Any) -> str:
        asked = job["metadata"]
        name = super().submit_job(**{**job, "metadata": {**asked, STORAGE: str(self.storage)}})
        if asked.get(RUN) and not self.details[name].status.is_terminal():
            make_digits_run(self.storage, asked[RUN])
            self.end(name, "SUCCEEDED")
        return name

    def get_job_info(self, name: str) -> SimpleNamespace:
        return super().get_job_info(
            next(iter(self.details)) if name.endswith("…") else name
        )  # a page leaves out the id


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """A Jobs server in memory that stands for every address."""
    server = FakeServer(jobs=FinishedJobs(storage=tmp_path / "cluster"))
    for module in (job, submit):
        monkeypatch.setattr(module, "reach", lambda _: server)
    return server
