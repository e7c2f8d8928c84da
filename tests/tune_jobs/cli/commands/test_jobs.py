"""The commands about jobs, with a cluster in memory."""

import pytest
from click.testing import CliRunner

from tests.support.compared_runs import make_scored_run
from tests.support.fake_cluster import FakeServer
from tune_jobs.cli.main import main
from tune_jobs.cluster.jobs import job, server
from tune_jobs.cluster.jobs.state import EXPERIMENT, RUN, STORAGE


@pytest.fixture
def cluster(monkeypatch, tmp_path):
    fake = FakeServer()
    monkeypatch.setattr(job, "reach", lambda address: fake)
    monkeypatch.setattr(server, "reach", lambda address: fake)
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", fake.address)
    monkeypatch.delenv("TUNE_JOBS_STORAGE", raising=False)
    monkeypatch.chdir(tmp_path)
    make_scored_run(tmp_path / "there", "one")
    told = {RUN: "one", EXPERIMENT: "signs", STORAGE: str(tmp_path / "there")}
    fake.jobs.submit_job(entrypoint="exec python -m tune_jobs", metadata=told, runtime_env={})
    return fake


def invoke(*arguments, status=0):
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exit_code == status, result.output
    return result


def test_jobs_are_listed_with_what_they_run(cluster):
    cluster.jobs.end("job-1", "SUCCEEDED")
    cluster.jobs.submit_job(entrypoint="exec python -m other", metadata={}, runtime_env={})
    header, row = invoke("jobs").stdout.splitlines()
    assert header.split() == ["job", "run", "experiment", "started", "took", "status"]
    assert row.split()[:3] == ["job-1", "one", "signs"]
    assert row.endswith("1m 05s  SUCCEEDED")


def test_a_cluster_without_jobs_says_what_makes_one(cluster):
    cluster.jobs.details.clear()
    assert invoke("jobs").stdout == "http://head:8265 has no jobs of runs: tune-jobs submit EXPERIMENT sends one.\n"


def test_the_status_of_a_job_that_failed_has_its_last_words(cluster):
    cluster.jobs.end("job-1", "FAILED", 1, "Job failed, last logs:\nError: \x1b[31mno room\n")
    told = invoke("status", "job-1").stdout
    assert "status:     FAILED" in told
    assert "why:        Error: \\x1b[31mno room" in told


def test_logs_are_printed_line_by_line_and_steer_no_terminal(cluster):
    cluster.jobs.logs["job-1"] = "trial 1\n\tin\x1b[2J\n\nend"
    assert invoke("logs", "job-1").stdout == "trial 1\n        in\\x1b[2J\n\nend"


def test_following_a_job_exits_as_it_does(cluster):
    cluster.jobs.logs["job-1"] = "Error: no budget\n"
    cluster.jobs.end("job-1", "FAILED", 2)
    assert invoke("logs", "-f", "job-1", status=2).stdout == "Error: no budget\n"


def test_stopping_says_how_to_go_on(cluster, tmp_path):
    told = invoke("stop", "job-1").stdout
    assert "job-1 is over: STOPPED." in told
    assert f"tune-jobs submit EXPERIMENT --resume one --storage {tmp_path / 'there'} --address http://head:8265" in told
    assert invoke("stop", "job-1").stdout == "job-1 was over already: STOPPED.\n"


def test_fetching_says_what_can_be_typed_next(cluster, tmp_path):
    told = invoke("fetch", "job-1").stdout
    assert told == "run:  runs/one\nnext: tune-jobs leaderboard one\n"
    told = invoke("fetch", "job-1", "--storage", "elsewhere", "--models").stdout
    assert "tune-jobs evaluate one --storage elsewhere" in told
    assert invoke("leaderboard", "one").stdout == invoke("leaderboard", "one", "--storage", tmp_path / "there").stdout


@pytest.mark.parametrize("command", ["status", "logs", "stop", "fetch"])
def test_a_job_that_is_not_there_is_a_wrong_request(cluster, command):
    assert "has no job 'job-9'" in invoke(command, "job-9", status=2).stderr
