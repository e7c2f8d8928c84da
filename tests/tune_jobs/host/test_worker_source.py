"""Workers that are forked: each is what a Python with its command line would be, and none where that cannot be."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tune_jobs.host import fork_launcher
from tune_jobs.host.worker_source import WorkerSource, begun_early, drop_early, take_early

SCRIPT = """
import json, os, random, signal, sys
from pathlib import Path
out = Path(sys.argv[1])
if len(sys.argv) > 2 and sys.argv[2] == "fail" and "preloaded_here" in sys.modules:
    raise RuntimeError("It cannot be forked.")
if len(sys.argv) > 2 and sys.argv[2] == "crash" and "preloaded_here" in sys.modules:
    os.abort()
out.with_suffix(".part").write_text(json.dumps({
    "forked": "preloaded_here" in sys.modules, "arguments": sys.argv, "path": sys.path, "folder": os.getcwd(),
    "environment": dict(os.environ), "main": sys.modules["__main__"].__file__, "name": __name__,
    "drawn": random.random(),
    "blocked": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ()))), "process": os.getpid(),
    "handlers": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGCHLD)],
    "descriptors": sorted(os.listdir("/proc/self/fd"))}))
out.with_suffix(".part").rename(out)
print("printed")
if len(sys.argv) > 2 and sys.argv[2] == "crash later":
    Path("/proc/self/comm").write_text("ray::Worker.train")  # as Ray calls a worker that has a task
    os.abort()
if len(sys.argv) > 2 and sys.argv[2] == "stay":
    signal.pause()
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "preloaded_here.py").write_text("import os\nos.environ['SET_BY_IMPORT'] = 'yes'\n")
    script = tmp_path / "ray" / fork_launcher.WORKER_SCRIPT
    script.parent.mkdir()
    script.write_text(SCRIPT)
    return script


@pytest.fixture
def environment(script: Path) -> dict[str, str]:
    folders = [str(script.parents[1] / "modules"), str(Path(fork_launcher.__file__).parents[2])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}


@pytest.fixture
def source(environment: dict[str, str]) -> Iterator[WorkerSource]:
    source = WorkerSource(environment, ["preloaded_here"])
    yield source
    source.close()


def _heed_ctrl_c() -> None:
    """Undo what a shell does to programs in the background: they and all that they start ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def started(program: Path | str, script: Path, environment: dict[str, str], *more: str, folder: Path) -> dict[str, Any]:
    """Start a worker as Ray does, and return what it says of itself."""
    out = script.with_suffix(f".{time.monotonic_ns()}")
    nowhere = subprocess.DEVNULL
    command = [str(program), str(script), str(out), *more]
    subprocess.run(command, env=environment, cwd=folder, stdout=nowhere, check=True, preexec_fn=_heed_ctrl_c)
    begun_s = time.monotonic()
    while not out.exists():
        assert time.monotonic() - begun_s < 120
        time.sleep(0.01)
    return json.loads(out.read_text())  # type: ignore[no-any-return]


def test_a_forked_worker_is_what_python_would_be(
    source: WorkerSource, script: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    program = source.listen()
    own = {**environment, "OF_THE_RUN": "1", "PYTHONPATH": f"{environment['PYTHONPATH']}:{tmp_path}"}
    forked = started(program, script, own, folder=tmp_path)
    plain = started(sys.executable, script, own, folder=tmp_path)
    assert (forked["forked"], plain["forked"]) == (True, False)
    assert forked["environment"].pop("SET_BY_IMPORT") == "yes"
    for name in ("PWD", "OLDPWD", "_", "SHLVL", "LC_CTYPE"):  # those of the shell between
        for one in (forked, plain):
            one["environment"].pop(name, None)
    for name in ("environment", "path", "folder", "main", "name", "blocked", "handlers", "descriptors"):
        assert forked[name] == plain[name], name
    again = started(program, script, own, folder=tmp_path)
    assert again["drawn"] != forked["drawn"]


def test_other_programs_are_left_to_python(source: WorkerSource, tmp_path: Path) -> None:
    program = source.listen()
    ended = subprocess.run([program, "-c", "print(6 * 7)"], capture_output=True, text=True, check=True)
    assert ended.stdout == "42\n"


def test_a_worker_with_other_variables_of_the_imports_is_started_by_itself(
    source: WorkerSource, script: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    program = source.listen()
    other = started(program, script, {**environment, "KERAS_BACKEND": "another"}, folder=tmp_path)
    assert not other["forked"]
    assert "KERAS_BACKEND" in str(source.refusal())


@pytest.mark.parametrize("way", ["fail", "crash"])
def test_a_worker_that_fails_before_it_is_connected_is_started_by_itself(
    way: str, source: WorkerSource, script: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    assert not started(source.listen(), script, environment, way, folder=tmp_path)["forked"]


@pytest.mark.parametrize("broken", ["raise RuntimeError('broken')", "import threading\nthreading.Event().wait"])
def test_nothing_is_forked_where_the_imports_fail_or_start_threads(
    broken: str, script: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    if "threading" in broken:
        broken = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    (script.parents[1] / "modules" / "preloaded_here.py").write_text(broken)
    source = WorkerSource(environment, ["preloaded_here"])
    try:
        program = source.listen()
        assert source.refusal() is not None
        (script.parents[1] / "modules" / "preloaded_here.py").unlink()
        assert not started(program, script, environment, folder=tmp_path)["forked"]
    finally:
        source.close()


def test_a_worker_is_started_by_itself_when_the_source_has_ended(
    source: WorkerSource, script: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    program = source.listen()
    assert source.refusal() is None
    os.kill(source.process_id, 9)
    assert not started(program, script, environment, folder=tmp_path)["forked"]
    assert source.refusal() == "the process that workers are forked from has ended"


def test_workers_of_a_later_run_get_its_variables_and_those_of_the_earlier_are_ended(
    source: WorkerSource, script: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    program = source.listen()
    of_ray = {**environment, "RAY_RAYLET_PID": "7", "EARLIER": "1", "BOTH": "1"}
    first = started(program, script, {**of_ray, "ADDED_BY_RAY": "1"}, "stay", folder=tmp_path)
    later = {**environment, "BOTH": "2", "LATER": "1"}
    source.prepare(of_ray, later, str(script.parent))
    with pytest.raises(ProcessLookupError):
        os.kill(first["process"], 0)
    second = started(program, script, {**of_ray, "ADDED_BY_RAY": "1"}, folder=tmp_path)
    seen = second["environment"]
    assert (seen["BOTH"], seen["LATER"], seen["ADDED_BY_RAY"], seen["RAY_RAYLET_PID"]) == ("2", "1", "1", "7")
    assert "EARLIER" not in seen
    assert second["folder"] == str(script.parent)


def test_it_ends_when_the_driver_does(script: Path, environment: dict[str, str]) -> None:
    program = (
        "import os, sys\nfrom tune_jobs.host.worker_source import WorkerSource\n"
        "source = WorkerSource(os.environ, [])\nsource.refusal()\nprint(source.process_id, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    process = int(ended.stdout)
    begun_s = time.monotonic()
    while Path(f"/proc/{process}").exists() and "Z" not in Path(f"/proc/{process}/stat").read_text().split()[2]:
        assert time.monotonic() - begun_s < 120
        time.sleep(0.02)


def test_a_worker_that_crashes_in_its_work_is_left_to_its_ray(
    source: WorkerSource, script: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    program = source.listen()
    first = started(program, script, environment, "crash later", folder=tmp_path)
    while Path(f"/proc/{first['process']}").exists():
        time.sleep(0.01)
    assert source.refusal() is None
    assert started(program, script, environment, folder=tmp_path)["forked"]


def test_no_worker_is_forked_for_a_launcher_that_waits_no_longer(
    source: WorkerSource, script: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    program = source.listen()
    name = program.read_text().split()[6]
    out = tmp_path / "out"
    request = {
        "arguments": [str(script), str(out)],
        "environment": environment,
        "folder": str(tmp_path),
        "blocked": [],
        "oom_score": "0",
    }
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(f"\0{name}")
        os.kill(source.process_id, signal.SIGSTOP)
        fork_launcher.send(connection, request, range(fork_launcher.STREAMS))
    os.kill(source.process_id, signal.SIGCONT)
    assert source.refusal() is None
    assert started(program, script, environment, folder=tmp_path)["forked"]
    assert not out.exists()


def test_a_source_that_was_begun_early_is_taken_once(environment: dict[str, str]) -> None:
    with begun_early(environment):
        source = take_early({**environment, "RAY_USAGE_STATS_ENABLED": "0", "OF_THE_RUN": "1"})
        assert source is not None
        assert take_early(environment) is None
    assert not Path(f"/proc/{source.process_id}").exists()
    source.close()  # whoever took it ends it, too


@pytest.mark.parametrize("change", ["variable", "framework"])
def test_a_source_that_imports_something_else_is_ended(
    change: str, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "own" / "keras").mkdir(parents=True)
    changed = {
        "variable": {"KERAS_BACKEND": "another"},
        "framework": {"PYTHONPATH": f"{tmp_path / 'own'}:{environment['PYTHONPATH']}"},
    }
    with begun_early(environment):
        assert take_early({**environment, **changed[change]}) is None
        assert take_early(environment) is None
    with begun_early(environment):
        drop_early()
        assert take_early(environment) is None
