"""Workers that are forked for the next job of a Ray: they become what a Python would be, or nobody takes them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.tune_jobs.host.test_worker_source import environment, script, started
from tune_jobs.host.spare_workers import of_next_job
from tune_jobs.host.worker_source import WorkerSource

__all__ = ["environment", "script"]


@pytest.fixture
def source(environment: dict[str, str], script: Path) -> Iterator[WorkerSource]:
    """A source whose spare workers import a module that says which job it is of, as Ray does when it is imported."""
    own = script.parents[1] / "modules" / "imported_by_spare.py"
    own.write_text("import os\nos.environ['IMPORTED_FOR'] = os.environ['RAY_JOB_ID']\n")
    source = WorkerSource(environment, ["preloaded_here"])
    yield source
    source.close()


def of_job(number: int, environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "RAY_JOB_ID": f"{number:02x}000000", "RAY_RAYLET_PID": "7"}


def spare_of(source: WorkerSource, count: int) -> list[psutil.Process]:
    source.end_workers(count, ["imported_by_spare"])
    assert source.refusal() is None  # it answers in turn
    until_s = time.monotonic() + 20
    server = psutil.Process(source.process_id)
    while len(children := server.children()) > count and time.monotonic() < until_s:
        time.sleep(0.01)  # workers that were told to end need a moment
    return children


def test_the_next_job_is_told_from_the_last_one() -> None:
    assert of_next_job({"RAY_JOB_ID": "ff000000", "RAY_A": "1"}) == {"RAY_JOB_ID": "00010000", "RAY_A": "1"}
    for unknown in ({}, {"RAY_JOB_ID": "none"}, {"RAY_JOB_ID": "01"}, {"RAY_JOB_ID": "ffffffff"}):
        assert of_next_job(unknown) is None


def test_a_spare_worker_becomes_what_python_would_be(
    source: WorkerSource, script: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    program = source.listen()
    started(program, script, of_job(1, environment), folder=tmp_path)
    spare = {process.pid for process in spare_of(source, 2)}
    assert len(spare) == 2
    own = {**of_job(2, environment), "OF_THE_RUN": "1", "PYTHONPATH": f"{environment['PYTHONPATH']}:{tmp_path}"}
    forked = [started(program, script, own, folder=tmp_path) for _ in range(3)]
    plain = started(sys.executable, script, own, folder=tmp_path)
    assert {one["process"] for one in forked[:2]} == spare
    assert forked[2]["forked"]
    assert forked[2]["process"] not in spare
    assert [one["environment"].pop("IMPORTED_FOR", None) for one in forked] == ["02000000", "02000000", None]
    for one in (*forked, plain):
        for name in ("PWD", "OLDPWD", "_", "SHLVL", "LC_CTYPE", "SET_BY_IMPORT"):
            one["environment"].pop(name, None)
    for name in ("environment", "path", "folder", "main", "name", "blocked", "handlers", "descriptors"):
        assert [one[name] for one in forked] == 3 * [plain[name]], name
    assert len({one["drawn"] for one in forked}) == 3


@pytest.mark.parametrize("change", [{"RAY_JOB_ID": "03000000"}, {"RAY_RAYLET_PID": "8"}, {"RAY_OTHER": "1"}])
def test_a_worker_with_other_variables_of_ray_is_forked_anew(
    change: dict[str, str], source: WorkerSource, script: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    program = source.listen()
    started(program, script, of_job(1, environment), folder=tmp_path)
    (spare,) = spare_of(source, 1)
    other = started(program, script, {**of_job(2, environment), **change}, folder=tmp_path)
    assert other["forked"]
    assert "IMPORTED_FOR" not in other["environment"]
    assert other["process"] != spare.pid
    if "RAY_JOB_ID" in change:  # the one that waits for a job that has gone ends
        (after,) = spare_of(source, 1)
        assert after.pid != spare.pid
        assert started(program, script, of_job(4, environment), folder=tmp_path)["process"] == after.pid


def test_a_spare_worker_that_has_ended_is_not_missed(
    source: WorkerSource, script: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    program = source.listen()
    started(program, script, of_job(1, environment), folder=tmp_path)
    (spare,) = spare_of(source, 1)
    spare.kill()
    while psutil.pid_exists(spare.pid):
        time.sleep(0.01)
    assert started(program, script, of_job(2, environment), folder=tmp_path)["forked"]


def test_spare_workers_end_with_their_source(
    source: WorkerSource, script: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    started(source.listen(), script, of_job(1, environment), folder=tmp_path)
    spare = spare_of(source, 2)
    os.kill(source.process_id, 9)
    psutil.wait_procs(spare, timeout=60)
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in spare)


def test_what_ray_needs_is_imported_without_ray_and_without_threads() -> None:
    program = (
        "import json, sys\nfrom tune_jobs.host import ray_dependencies\n"
        "from tune_jobs.host.forked_worker import prepared_for_forks\n"
        "missing = [name for name in ray_dependencies.PACKAGES if name not in sys.modules]\n"
        "print(json.dumps([missing, 'ray' in sys.modules, prepared_for_forks()]))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout) == [[], False, None]
