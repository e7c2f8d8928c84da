"""A job behaves like a future."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.compared_runs import make_scored_run
from tests.support.fake_cluster import FakeServer
from tune_jobs.cluster.jobs.job import Job, list_jobs
from tune_jobs.cluster.jobs.state import EXPERIMENT, RUN, STORAGE
from tune_jobs.errors import JobFailed, RequestError


@pytest.fixture
def job(tmp_path: Path) -> Job:
    server = FakeServer()
    make_scored_run(tmp_path / "cluster", "one")
    metadata = {RUN: "one", EXPERIMENT: "signs", STORAGE: str(tmp_path / "cluster")}
    return Job(server, server.jobs.submit_job(entrypoint="exec python -m tune_jobs", metadata=metadata, runtime_env={}))


def end(job: Job, *arguments: Any, **more: Any) -> None:
    job.server.jobs.end(job.id, *arguments, **more)


def test_a_job_that_goes_on(job: Job) -> None:
    assert (job.status, job.done(), job.wait(timeout_s=0)) == ("RUNNING", False, False)
    with pytest.raises(TimeoutError):
        job.result(timeout_s=0)
    assert job.state().ended_s is None


def test_a_job_that_did_its_work(job: Job, tmp_path: Path) -> None:
    end(job, "SUCCEEDED")
    assert job.done()
    assert job.exception() is None
    assert job.result(storage=tmp_path / "here").best_trial == 1
    assert (job.state().started_s, job.state().ended_s) == (1000.0, 1065.0)


def test_a_job_that_failed_raises_in_its_own_last_words(job: Job) -> None:
    end(job, "FAILED", 2, "Job entrypoint command failed with exit code 2, last logs:\nError: no budget\n\n")
    assert str(job.exception()) == f"The job {job.id} failed: Error: no budget"
    with pytest.raises(JobFailed, match="Error: no budget"):
        job.result()


def test_a_job_that_is_stopped_has_a_run_all_the_same(job: Job, tmp_path: Path) -> None:
    assert job.stop()
    assert job.status == "STOPPED"
    assert not job.stop()
    assert job.result(storage=tmp_path / "here").name == "one"


def test_its_output_is_read_whole_or_followed(job: Job) -> None:
    assert "".join(job.follow()) == job.logs()


def test_a_job_that_is_not_there_or_is_no_run_is_told(job: Job) -> None:
    with pytest.raises(RequestError, match="has no job 'other'"):
        Job(job.server, "other").state()
    plain = job.server.jobs.submit_job(entrypoint="exec python -m something", metadata={}, runtime_env={})
    with pytest.raises(RequestError, match="not one that tune-jobs submit sent"):
        Job(job.server, plain).state()
    assert [state.job for state in list_jobs(job.server)] == [job.id]
