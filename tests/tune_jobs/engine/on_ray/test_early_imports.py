"""The import of Keras for the workers, which a call of ``run`` begins before it checks anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import tune_jobs
from tests.support.fakes import experiment
from tune_jobs.engine import runner
from tune_jobs.engine.on_ray import early_imports
from tune_jobs.errors import RequestError
from tune_jobs.host import worker_source
from tune_jobs.host.capacity import Machine, Node


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens, in turn."""
    told: list[str] = []

    class Source:
        """A process that imports nothing."""

        def __init__(self, environment: Mapping[str, str]) -> None:
            told.append("begun")

        def close(self) -> None:
            """Say so."""
            told.append("ended")

    def problems(*_: object) -> list[str]:
        told.append("checked")
        return ["There is a mistake."]

    monkeypatch.setattr(worker_source, "WorkerSource", Source)
    monkeypatch.setattr(worker_source, "this_machine", lambda: Machine((Node(cpus=2),)))
    monkeypatch.setattr(runner, "request_problems", problems)
    monkeypatch.setattr(early_imports, "is_connected", lambda: False)
    monkeypatch.setenv("TUNE_JOBS_WARM", "off")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return told


def refused(storage: Path) -> None:
    with pytest.raises(RequestError, match="There is a mistake"):
        tune_jobs.run(experiment(), storage=storage)


def test_a_run_begins_it_before_it_checks_anything_and_ends_it_if_there_is_a_mistake(
    told: list[str], tmp_path: Path
) -> None:
    refused(tmp_path)
    assert told == ["begun", "checked", "ended"]
    with worker_source.workers_imported_early():  # the command has begun it already
        refused(tmp_path)
    assert told[3:] == ["begun", "checked", "ended"]
    with pytest.raises(RequestError):
        tune_jobs.resume(tmp_path / "none", experiment())
    assert told[6:] == ["begun", "ended"]


@pytest.mark.parametrize("why", ["one CPU", "GPUs", "cluster", "connected", "warm", "warm in this process"])
def test_it_is_not_begun_where_no_worker_would_be_forked_from_it(
    why: str, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    match why:
        case "one CPU":
            monkeypatch.setattr(worker_source, "this_machine", lambda: Machine((Node(cpus=1),)))
        case "GPUs":
            monkeypatch.setattr(worker_source, "this_machine", lambda: Machine((Node(cpus=2, gpus=1),)))
        case "cluster":
            monkeypatch.setenv("RAY_ADDRESS", "there:1")
        case "connected":
            monkeypatch.setattr(early_imports, "is_connected", lambda: True)
        case "warm":
            monkeypatch.setattr(worker_source, "is_kept_warm", lambda: True)
        case "warm in this process":
            monkeypatch.setattr(early_imports, "IN_PROCESS", [lambda: "name"])
    refused(tmp_path)
    assert told == ["checked"]
