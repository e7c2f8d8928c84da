"""The job is the one that was requested. If anything is wrong, all problems are listed and nothing is sent."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.support.fake_cluster import FakeServer
from tune_jobs.cli.main import main
from tune_jobs.cluster.jobs import submit as submitting
from tune_jobs.cluster.jobs.job import Job
from tune_jobs.cluster.jobs.state import ClusterState
from tune_jobs.errors import JobFailed, RequestError
from tune_jobs.experiment.origin import origin_of
from tune_jobs.host.capacity import Node

LAB = """
from tests.support.fakes import NeverTrained, SPACE
from tune_jobs import Experiment, Objective, Resources

FIRST = Experiment(NeverTrained, SPACE, Objective("loss", "min"), trials=3)
SECOND = Experiment(NeverTrained, SPACE, Objective("loss", "min"), trials=3, resources=Resources(gpus=2))
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeServer:
    import ray

    server = FakeServer()
    server.ray = ray.__version__
    monkeypatch.setattr(submitting, "reach", lambda address: server)
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "signs.py").write_text(LAB)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", server.address)
    return server


def words(server: FakeServer) -> list[str]:
    return shlex.split(server.jobs.submitted[-1]["entrypoint"])


def refusals(server: FakeServer, *arguments: Any, **options: Any) -> tuple[str, ...]:
    with pytest.raises(RequestError) as caught:
        submitting.submit(*arguments, **options)
    assert server.jobs.submitted == []
    return caught.value.problems


def test_the_head_runs_the_same_command_in_the_folder_that_is_sent(server: FakeServer, tmp_path: Path) -> None:
    job = submitting.submit("lab/signs.py:FIRST", storage="/mnt/runs", name="first", trials=7, searcher="random")
    expected = ["--storage", "/mnt/runs", "--trials", "7", "--searcher", "random", "--name", "first"]
    command = words(server)
    assert command[:6] == ["exec", "python", "-m", "tune_jobs", "run", "lab/signs.py:FIRST"]
    assert sorted(command[6:]) == sorted(expected)
    sent = server.jobs.submitted[0]
    assert sent["runtime_env"]["working_dir"] == str(tmp_path)
    assert sent["metadata"] == {
        "tune_jobs_run": "first",
        "tune_jobs_experiment": "signs-FIRST",
        "tune_jobs_storage": "/mnt/runs",
        "tune_jobs_reference": f"{tmp_path}/lab/signs.py:FIRST",
        "tune_jobs_origin": origin_of(f"{tmp_path}/lab/signs.py:FIRST"),
    }
    assert (job.status, job.notes) == ("RUNNING", ())


def test_a_working_dir_is_where_the_head_starts(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    submitting.submit(str(tmp_path / "lab" / "signs.py") + ":FIRST", working_dir="lab")
    assert words(server)[5] == "signs.py:FIRST"
    assert server.jobs.submitted[0]["runtime_env"]["working_dir"] == str(tmp_path / "lab")


def test_a_shipped_experiment_sends_nothing_and_gets_a_name_and_a_place(server: FakeServer) -> None:
    job = submitting.submit("digits_mlp")
    sent = server.jobs.submitted[0]
    assert set(sent["runtime_env"]) == {"env_vars"}
    state = job.state()
    assert state.run.startswith("digits_mlp-2")
    assert state.storage == "~/runs"
    assert '--storage "$HOME"/runs' in sent["entrypoint"]
    assert f"--name {state.run}" in sent["entrypoint"]


def test_a_run_is_gone_on_with(server: FakeServer) -> None:
    submitting.submit("lab/signs.py:FIRST", storage="/mnt/runs", resume="first", trials=20)
    assert words(server)[4:] == shlex.split(
        "resume first --experiment lab/signs.py:FIRST --storage /mnt/runs --trials 20"
    )
    assert server.jobs.submitted[0]["metadata"]["tune_jobs_run"] == "first"


def test_an_option_that_would_change_a_run_that_goes_on_is_refused(server: FakeServer) -> None:
    [problem] = refusals(server, "lab/signs.py:FIRST", resume="first", seed=3, name="x", trials=9)
    assert "--seed, --name would change" in problem


def test_packages_are_those_of_the_file(server: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "needed.txt").write_text("# what it takes\n\nnumpy\nscipy>=1.17 ; python_version > '3'\n")
    submitting.submit("digits_mlp", requirements="needed.txt")
    assert server.jobs.submitted[0]["runtime_env"]["pip"] == ["numpy", "scipy>=1.17 ; python_version > '3'"]


def test_a_file_of_packages_that_is_mostly_a_hole_is_refused(server: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "needed.txt").touch()
    os.truncate(tmp_path / "needed.txt", 10 * 2**40)
    [problem] = refusals(server, "digits_mlp", requirements="needed.txt")
    assert problem.startswith("--requirements needed.txt cannot be read (it is larger than 1,048,576 bytes)")


def test_everything_that_is_wrong_is_told_at_once(server: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n")
    server.ray = "2.50.0"
    server.known = ClusterState("3.9.1", (Node(4.0, host="a"), Node(4.0, host="b")), is_autoscaled=False)
    (tmp_path / "lab" / "large.bin").touch()
    with (tmp_path / "lab" / "large.bin").open("wb") as file:
        file.truncate(101 * 2**20)  # takes no room on a disk
    problems = refusals(
        server, "lab/signs.py:SECOND", storage="runs", requirements="empty.txt", name="a/b", max_epochs=0
    )
    message = "\n".join(problems)
    for part in (
        "--requirements empty.txt names no package",
        "`max_epochs` is 0",
        "`name` is 'a/b'",
        "Largest: lab/ 101 MiB",
        "The cluster has 2 nodes, but the --storage 'runs' is relative",
        "runs Ray 2.50.0",
    ):
        assert part in message
    assert len(problems) == 6


def test_a_trial_that_fits_nowhere_is_refused(server: FakeServer) -> None:
    [problem] = refusals(server, "lab/signs.py:SECOND")
    assert "1 CPU, 2 GPU, which no node of the cluster has (10.0.0.1: 4 CPU, 1 GPU)" in problem


def test_a_cluster_out_of_reach_hides_no_other_mistake(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(address: str) -> None:
        raise RequestError(f"{address} does not answer.")

    monkeypatch.setattr(submitting, "reach", unreachable)
    problems = refusals(server, "lab/signs.py:THIRD", storage="s4://x")
    assert [problem.split()[0] for problem in problems] == ["http://head:8265", "lab/signs.py", "The"]


def test_a_cluster_that_does_not_take_the_job_is_told(server: FakeServer) -> None:
    server.jobs.error = RuntimeError("Request failed with status code 500: Traceback\nValueError: no room\n")
    with pytest.raises(JobFailed, match=r"http://head:8265 did not take the job: ValueError: no room$"):
        submitting.submit("digits_mlp")


def invoke(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == status, result.output
    return result


def test_the_command_prints_what_can_be_asked_of_the_job(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.jobs.logs["job-1"] = ""
    output = invoke("submit", "digits_mlp", "--name", "first", "--gpus", "0.5").stdout
    assert "--gpus 0.5 --top 10" in server.jobs.submitted[0]["entrypoint"] or "--gpus 0.5" in words(server)
    assert "job: job-1\nrun: first\n" in output
    for name in ("status", "logs -f", "view", "stop", "fetch"):
        assert f"tune-jobs {name} job-1 --address http://head:8265" in output


@pytest.mark.parametrize(
    ("status", "exit_code", "expected"),
    [
        ("SUCCEEDED", 0, 0),
        ("FAILED", 2, 2),
        ("FAILED", 1, 1),
        ("FAILED", -9, 1),
        ("FAILED", None, 1),
        ("STOPPED", 0, 130),
    ],
)
def test_a_command_that_follows_exits_as_the_job_does(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, status: Any, exit_code: int | None, expected: int
) -> None:
    follow = Job.follow

    def ending(job: Job) -> Iterator[str]:
        yield from follow(job)
        yield "evil \x1b[2J\n"
        server.jobs.end(job.id, status, exit_code)

    monkeypatch.setattr(Job, "follow", ending)
    result = invoke("submit", "digits_mlp", "--follow", status=expected)
    assert "Running entrypoint" in result.stdout
    assert "evil \\x1b[2J\n" in result.stdout


def test_a_mistake_exits_with_2(server: FakeServer) -> None:
    result = invoke("submit", "lab/signs.py:FIRST", "--storage", "runs", status=2)
    assert result.stderr.startswith("Error: The value of `storage` is 'runs'")
