"""A cluster of two hosts with their own names, addresses and files, and a third from which a job is submitted."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import hosts
from tests.support.child_process import COMMAND, LAB, PARTS
from tune_jobs.results.run import Run

REASON = hosts.reason_against()
pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(REASON is not None, reason=f"no hosts of our own: {REASON}"),
]
RAY = str(Path(sys.executable).with_name("ray"))
SMALL = "--object-store-memory=80000000"


@dataclass(frozen=True)
class TwoHosts:
    """A cluster, a host outside of it, and a folder that is another one on each host."""

    head: hosts.Host
    worker: hosts.Host
    client: hosts.Host
    private: Path

    @property
    def address(self) -> str:
        return f"{self.head.address}:6379"


@pytest.fixture(scope="module")
def two_hosts() -> Iterator[TwoHosts]:
    started = []
    with (
        hosts.hosts("head", "worker", "client") as ((head, worker, client), private),
        pytest.MonkeyPatch.context() as set,
    ):
        # A job's `python` is the first on its node's PATH.
        set.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        set.setenv("RAY_AUTH_MODE", "disabled")  # a token in the home folder would turn it on
        made = TwoHosts(head, worker, client, private)
        try:
            ray = [RAY, "start", "--block", SMALL]
            as_head = ["--head", "--port=6379", "--num-cpus=0", f"--temp-dir={private}/r", "--dashboard-host=0.0.0.0"]
            as_worker = [f"--address={made.address}", "--num-cpus=1"]
            for host, role in ((head, as_head), (worker, as_worker)):
                started.append(host.start(*ray, f"--node-ip-address={host.address}", *role))
                wait_for(started[-1], "Ray runtime started")
            yield made
        finally:
            for process in reversed(started):
                process.terminate()
                process.communicate(timeout=60)


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line)
        if words in line:
            return
    pytest.fail("".join(told))


@pytest.fixture
def experiment(two_hosts: TwoHosts, tmp_path: Path) -> str:
    """An experiment that lies on the head alone, with a module that is imported when a model is built."""
    lab = LAB.replace("import data, network", "import data").replace(
        "return network(", "from later import network\n        return network("
    )
    for name, text in (
        ("signs.py", textwrap.dedent(lab)),
        ("parts.py", PARTS),
        ("later.py", "from parts import network"),
    ):
        (tmp_path / name).write_text(text)
    two_hosts.head.run("cp", "-r", str(tmp_path), str(two_hosts.private / "lab"))
    return str(two_hosts.private / "lab" / "signs.py")


def test_a_storage_that_the_worker_does_not_see_is_refused_before_any_trial(
    two_hosts: TwoHosts, experiment: str
) -> None:
    storage = two_hosts.private / "runs"
    status, told = two_hosts.head.run(
        COMMAND, "run", experiment, f"--storage={storage}", "--name=a", RAY_ADDRESS=two_hosts.address
    )
    assert status == 2
    assert f"The node worker does not see the folder {storage}/a." in told
    assert "--storage" in told
    status, _ = two_hosts.head.run("test", "-e", str(storage))
    assert status == 1


def test_code_that_lies_on_the_head_alone_is_trained_on_the_worker(
    two_hosts: TwoHosts, experiment: str, tmp_path: Path
) -> None:
    status, told = two_hosts.head.run(
        COMMAND, "run", experiment, f"--address={two_hosts.address}", f"--storage={tmp_path}/runs", "--name=b"
    )
    assert status == 0, told
    assert "joined a cluster of 2 nodes: 1 CPU" in told
    run = Run(tmp_path / "runs" / "b")
    assert set(run.leaderboard()["node"]) == {"worker"}
    assert run.history().latest_start.nodes == 2


def test_a_job_that_a_third_host_submits_is_run_by_the_worker(two_hosts: TwoHosts, tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "signs.py").write_text(textwrap.dedent(LAB))
    (tmp_path / "lab" / "parts.py").write_text(PARTS)
    lab = two_hosts.private / "submitted"
    two_hosts.client.run("cp", "-r", str(tmp_path / "lab"), str(lab))
    status, told = two_hosts.client.run(
        COMMAND,
        "submit",
        str(lab / "signs.py"),
        f"--address=http://{two_hosts.head.address}:8265",
        f"--working-dir={lab}",
        f"--storage={tmp_path}/runs",
        "--name=c",
        "--follow",
    )
    assert status == 0, told
    assert set(Run(tmp_path / "runs" / "c").leaderboard()["node"]) == {"worker"}
