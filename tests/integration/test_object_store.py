"""A run in a bucket: its driver is killed, another machine goes on with it, and a third one reads it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.child_process import wait_until_gone
from trainables.storage.object_store import ObjectStoreFolder
from tune_jobs.engine.run_folder.object_store_lease import LASTS_S, Lease
from tune_jobs.errors import RequestError
from tune_jobs.results import EpochReported, Status
from tune_jobs.results.find import load_run

pytest.importorskip("moto.server", reason="there is no S3 to talk to: pip install -e .[s3-server] brings one")
import boto3
from moto.server import ThreadedMotoServer

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

_KEY, _SECRET = "AKIAWHOSEKEYITIS", "wJalrXUtnFEMIK7MDENG"
_OPTIONS = (
    "--searcher",
    "random",
    "--scheduler",
    "none",
    "--trials",
    "5",
    "--max-epochs",
    "30",
    "--max-concurrent",
    "1",
)


class Bucket:
    def __init__(self, port: int) -> None:
        self.where = f"?endpoint_override=127.0.0.1:{port}&scheme=http"
        self.storage = f"s3://{_KEY}:{_SECRET}@bucket/lab/runs{self.where}"
        boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id=_KEY,
            aws_secret_access_key=_SECRET,
            region_name="us-east-1",
        ).create_bucket(Bucket="bucket")


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield Bucket(server.get_host_and_port()[1])
    server.stop()


class Machine:
    """The command line with a home of its own."""

    def __init__(self, lab: Path, home: Path, ray_folder: Path) -> None:
        self.lab, self.home = lab, home
        self.environment = {
            **os.environ,
            "XDG_CACHE_HOME": str(home),
            "RAY_TMPDIR": str(ray_folder),
            "RAY_AUTH_MODE": "disabled",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tune_jobs", *arguments],
            cwd=self.lab,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        child = self.start(*arguments)
        out, err = child.communicate(timeout=200)
        return subprocess.CompletedProcess(arguments, child.returncode, out, err)


def test_a_run_in_a_bucket_outlives_its_driver(
    lab: Path, ray_folder: Path, tmp_path: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "judge"))
    first, second, reader = (Machine(lab, tmp_path / name, ray_folder) for name in ("first", "second", "reader"))
    remote = ObjectStoreFolder(bucket.storage, "afar")

    child = first.start("run", "signs.py", "--name", "afar", "--storage", bucket.storage, *_OPTIONS)
    deadline = time.monotonic() + 120
    while not any(name.startswith("trials/0002/epoch-") for name in remote.files()):
        assert time.monotonic() < deadline
        assert child.poll() is None, child.communicate()
        time.sleep(0.1)
    with pytest.raises(RequestError, match="works on the run s3://bucket/lab/runs/afar"):
        Lease(remote, tmp_path).take()
    child.send_signal(signal.SIGKILL)
    killed = child.communicate()
    assert wait_until_gone(ray_folder) == []
    before = load_run(remote.uri).history()
    assert before.ended_s is None
    assert len(before.trials) > 0
    assert not (second.home / "tune-jobs").exists()

    time.sleep(LASTS_S)  # until the lease of the dead has run out
    resumed = second.call("resume", "afar", "--storage", bucket.storage)
    assert resumed.returncode == 0, resumed.stderr
    assert "run:  s3://bucket/lab/runs/afar?" in resumed.stdout
    run = load_run(remote.uri)
    history = run.history()
    assert [trial.status for trial in history.trials.values()] == [Status.COMPLETED] * 5
    assert [list(trial.epochs) for trial in history.trials.values()] == [list(range(1, 31))] * 5
    assert all(history.trials[number] == trial for number, trial in before.trials.items() if trial.status != "running")
    reported = [(event.trial, event.epoch) for event in run.events() if isinstance(event, EpochReported)]
    assert len(reported) == len(set(reported))
    assert "lease.json" not in remote.files()

    read = reader.call("leaderboard", remote.uri, "--format", "json")
    assert sorted(row["trial"] for row in json.loads(read.stdout)) == [0, 1, 2, 3, 4]
    assert run.load_best_model().count_params() > 0

    shown = "".join([*killed, resumed.stdout, resumed.stderr, read.stdout, read.stderr])
    written = [path for folder in (lab, first.home, second.home, reader.home) for path in folder.rglob("*")]
    kept = "".join(path.read_text(errors="replace") for path in written if path.is_file())
    stored = b"".join(remote.read(name) for name in remote.files()).decode(errors="replace")
    for secret in (_KEY, _SECRET):
        assert secret not in shown + kept + stored
    assert not [path for path in written if path.name.startswith("epoch-")]
