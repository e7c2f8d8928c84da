"""An experiment goes to a real Ray head by its Jobs server, behind a token, and its run comes back."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE
from typing import Any
from urllib.request import urlopen

import pytest

from demo.local_cluster import LocalCluster
from tests.support.child_process import COMMAND, tune_jobs
from tune_jobs.results.find import load_run

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

_ENDLESS = ("--scheduler", "none", "--trials", "500", "--max-epochs", "6")


class Head:
    """A cluster of a head and a worker, and the command line of one who uses it from elsewhere."""

    def __init__(self, cluster: LocalCluster, lab: Path, shared: Path) -> None:
        self.cluster, self.lab, self.shared = cluster, lab, shared
        self.token = Path(cluster.environment["RAY_AUTH_TOKEN_PATH"]).read_text()

    def client(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        known = {"RAY_AUTH_TOKEN": self.token, "RAY_API_SERVER_ADDRESS": self.cluster.address}
        return tune_jobs(self.lab, *arguments, **{**known, **environment})

    def submit(self, name: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        where = ("--storage", str(self.shared), "--name", name, "--max-concurrent", "1")
        return self.client("submit", "signs.py", *where, *options, **environment)

    def until(self, name: str, event: str) -> None:
        """Waits until the journal of a run tells an event."""
        journal, deadline = self.shared / name / "journal.jsonl", time.monotonic() + 240
        while not (journal.exists() and f'"event": "{event}"' in journal.read_text()):
            assert time.monotonic() < deadline, f"no {event} of {name}"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def head(lab: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_raylet_start_wait_time_s", "120")  # on a busy machine its 30 s are not enough
        cluster = LocalCluster(workers=1)
    with cluster:
        yield Head(cluster, lab, tmp_path_factory.mktemp("shared"))


def job_of(submitted: subprocess.CompletedProcess[str]) -> str:
    return submitted.stdout.splitlines()[0].removeprefix("job: ")


def test_a_job_is_followed_and_its_run_fetched(head: Head) -> None:
    submitted = head.submit("first", "--follow", "--trials", "2")
    assert submitted.returncode == 0, submitted.stdout + submitted.stderr
    assert submitted.stderr == ""
    assert "trial 1 " in submitted.stdout
    job = job_of(submitted)

    fetched = head.client("fetch", job, "--models")
    assert fetched.returncode == 0, fetched.stderr
    rows = json.loads(head.client("leaderboard", "first", "--format", "json").stdout)
    assert [row["rank"] for row in rows] == [1, 2]
    here, there = load_run(head.lab / "runs" / "first"), load_run(head.shared / "first")
    assert here.leaderboard().equals(there.leaderboard())
    assert here.experiment["reference"] == f"{head.lab}/signs.py:EXPERIMENT"
    assert here.load_best_model().count_params() == there.load_best_model().count_params()

    listed = head.client("jobs").stdout
    assert listed.count("SUCCEEDED") == 1  # the job that packed the run is not among them
    told = (
        listed + submitted.stdout + fetched.stdout + head.client("logs", job).stdout + head.client("status", job).stdout
    )
    written = "".join(path.read_text(errors="replace") for path in head.shared.rglob("*.json*") if path.is_file())
    assert head.token not in told + written


def test_a_job_that_is_stopped_ends_in_good_order_and_is_gone_on_with(head: Head) -> None:
    job = job_of(head.submit("stopped", *_ENDLESS))
    head.until("stopped", "trial_ended")
    assert head.client("fetch", job).returncode == 0
    early = load_run(head.lab / "runs" / "stopped").events()

    stopped = head.client("stop", job)
    assert "is over: STOPPED" in stopped.stdout, stopped.stdout + stopped.stderr
    history = load_run(head.shared / "stopped").history()
    assert history.reason == "interrupted"
    assert head.client("logs", "-f", job).returncode == 130

    done = len([trial for trial in history.trials.values() if trial.status == "completed"])
    options = ("--resume", "stopped", "--storage", str(head.shared), "--trials", str(len(history.trials) + 1))
    resumed = head.client("submit", "signs.py", *options, "--follow")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    after = load_run(head.shared / "stopped").history()
    assert after.reason == "all trials"
    assert len(after.trials) == len(history.trials) + 1 > done

    assert head.client("fetch", job_of(resumed)).returncode == 0
    late = load_run(head.lab / "runs" / "stopped").events()
    assert late[: len(early)] == early
    assert len(late) > len(early)


def test_a_job_is_seen_in_a_browser_while_it_goes_on(head: Head, tmp_path: Path) -> None:
    job = job_of(head.submit("seen", *_ENDLESS))
    head.until("seen", "trial_ended")
    known = {"RAY_AUTH_TOKEN": head.token, "RAY_API_SERVER_ADDRESS": head.cluster.address, "TMPDIR": str(tmp_path)}
    command = [COMMAND, "view", job, "--port", "0"]
    with subprocess.Popen(command, cwd=head.lab, env={**os.environ, **known}, stdout=PIPE, text=True) as viewer:
        try:
            assert viewer.stdout is not None
            url = viewer.stdout.readline().split()[1]
            assert head.token not in url
            first = told(f"{url}run/seen?since=")
            assert first["state_kind"] == "running"
            assert len(first["rows"]) >= 1
            deadline = time.monotonic() + 120
            while len(told(f"{url}run/seen?since=")["rows"]) == len(first["rows"]):
                assert time.monotonic() < deadline
                time.sleep(1)
            assert told(f"{url}trial/seen?number=0")["epochs"]
            assert "is over: STOPPED" in head.client("stop", job).stdout
            while (last := told(f"{url}run/seen?since="))["state_kind"] == "running":
                assert time.monotonic() < deadline
                time.sleep(1)
            assert "interrupted" in last["state"]
            assert not (head.lab / "runs" / "seen").exists()
        finally:
            viewer.terminate()
            viewer.wait(60)  # before its output is closed
    assert viewer.returncode == 0
    assert list(tmp_path.iterdir()) == []


def told(url: str) -> Any:
    with urlopen(url, timeout=30) as answer:  # noqa: S310 - of this machine
        return json.load(answer)


def test_a_job_that_fails_tells_why(head: Head) -> None:
    (head.lab / "lost.py").write_text((head.lab / "signs.py").read_text().replace("parts import", "elsewhere import"))
    (head.lab / "elsewhere.py").write_text((head.lab / "parts.py").read_text())
    (head.lab / ".rayignore").write_text("elsewhere.py\n")  # found here, and not there
    try:
        lost = head.client("submit", "lost.py", "--storage", str(head.shared), "--name", "lost", "--follow")
    finally:
        (head.lab / ".rayignore").unlink()
    assert lost.returncode == 2
    assert "elsewhere" in lost.stdout
    assert "No module named" in head.client("status", job_of(lost)).stdout


def test_what_is_wrong_is_told_and_nothing_is_sent(head: Head, tmp_path: Path) -> None:
    before = head.client("jobs").stdout
    (head.lab / "large").mkdir()
    with (head.lab / "large" / "data.bin").open("wb") as file:
        file.truncate(101 * 2**20)
    try:
        large = head.submit("large", "--gpus", "1")
    finally:
        (head.lab / "large" / "data.bin").unlink()
    assert large.returncode == 2
    assert "Largest: large/ 101 MiB" in large.stderr
    assert "1 GPU, which no node of the cluster has (" in large.stderr

    relative = head.client("submit", "signs.py", "--storage", "runs")
    assert "The cluster has 2 nodes, but the --storage 'runs' is relative" in relative.stderr
    wrong = head.submit("wrong", RAY_AUTH_TOKEN="another")  # noqa: S106
    assert "refuses the token of RAY_AUTH_TOKEN" in wrong.stderr
    missing = head.submit("missing", RAY_AUTH_TOKEN="", RAY_AUTH_MODE="", HOME=str(tmp_path))
    assert "asks for a token, and there is none here" in missing.stderr
    nobody = head.submit("nobody", "--address", "http://127.0.0.1:9")
    assert "http://127.0.0.1:9 does not answer: nobody listens there" in nobody.stderr
    for refused in (relative, wrong, missing, nobody):
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr
    assert head.client("jobs").stdout == before
