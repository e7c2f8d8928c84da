"""A Ray that is kept warm: runs use it, leave it clean, and never train old code; nothing is left of it."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.child_process import COMMAND, tune_jobs
from tune_jobs.engine.on_ray.warm.imports import imports_signature
from tune_jobs.host import warm_socket
from tune_jobs.host.capacity import this_machine
from tune_jobs.host.warm_socket import asked, connected
from tune_jobs.results import Noted
from tune_jobs.results.run import Run

pytestmark = pytest.mark.integration


@pytest.fixture
def own_warm(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A warm Ray that only this test finds."""
    value = secrets.token_hex(8)
    monkeypatch.setenv(warm_socket.VARIABLE, value)
    yield value
    tune_jobs(Path.cwd(), "warm", "--stop")


def children_of(process: psutil.Process) -> list[str]:
    lines = []
    for child in process.children(recursive=True):
        try:
            lines.append(" ".join(child.cmdline()))
        except psutil.Error:
            continue
    return lines


def notes(folder: Path) -> list[str]:
    return [event.text for event in Run(folder).events() if isinstance(event, Noted)]


LEFT = """
import json, sys, time, ray
ray.init(address=sys.argv[1], logging_level="ERROR")
from ray.util import list_named_actors, placement_group_table
for _ in range(100):  # Ray cleans up behind a driver within a second or two
    whole, free = ray.cluster_resources(), ray.available_resources()
    groups = [one["state"] for one in placement_group_table().values()]
    left = {"actors": list_named_actors(all_namespaces=True),
        "groups": [state for state in groups if state != "REMOVED"],
        "taken": {name: [amount, free.get(name)] for name, amount in whole.items() if free.get(name) != amount}}
    if not any(left.values()):
        break
    time.sleep(0.1)
print(json.dumps(left))
ray.shutdown()
"""


def left_in_ray(python: str) -> dict[str, object]:
    """Return what the runs have left in the warm Ray."""
    with connected(warm_socket.name_of_users_own()) as connection:
        assert connection is not None
        machine = this_machine()
        answer = asked(connection, "use", signature=imports_signature(os.environ), machine=[machine.cpus, machine.gpus])
        assert answer["refusal"] is None, answer
        variables = {**os.environ, "RAY_AUTH_TOKEN": "".join(answer["token"]), "RAY_AUTH_MODE": "token"}
        ended = subprocess.run(
            [python, "-c", LEFT, answer["address"]], env=variables, capture_output=True, text=True, check=False
        )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_runs_use_a_warm_ray_leave_it_clean_and_train_the_code_of_now(lab: Path, tmp_path: Path, own_warm: str) -> None:
    folder = tmp_path / "lab"
    shutil.copytree(lab, folder)
    parts = folder / "parts.py"
    writes = "    Path(__file__).with_name('seen').open('a').write(SEEN + ' ')\n    import keras\n"
    parts.write_text(
        "from pathlib import Path\nSEEN = 'old'\n" + parts.read_text().replace("    import keras\n", writes)
    )
    begun = tune_jobs(folder, "warm", "--minutes", "5")
    assert begun.returncode == 0, begun.stderr
    (number,) = re.findall(r"Process (\d+) keeps", begun.stdout)
    holder = psutil.Process(int(number))
    ours = set(holder.children(recursive=True))
    again = tune_jobs(folder, "warm")
    assert f"already, by process {number}" in again.stdout

    ended = tune_jobs(folder, "run", "signs.py", "--name", "first", "--trials", "2")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert any(f"kept warm by the process {number}" in note for note in notes(folder / "runs" / "first"))
    parts.write_text(parts.read_text().replace("SEEN = 'old'", "SEEN = 'new'"))
    ended = tune_jobs(folder, "run", "signs.py", "--name", "second", "--trials", "2")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (folder / "seen").read_text().split() == ["old", "old", "new", "new"]

    assert left_in_ray(str(Path(COMMAND).with_name("python"))) == {"actors": [], "groups": [], "taken": {}}
    assert [line for line in children_of(holder) if "ray::" in line and "Agent" not in line] == []

    ended = tune_jobs(folder, "run", "signs.py", "--name", "other", "--trials", "1", KERAS_BACKEND="tensorflow")
    assert any("KERAS_BACKEND" in note for note in notes(folder / "runs" / "other"))

    assert f"Ended the warm Ray of process {number}" in tune_jobs(folder, "warm", "--stop").stdout
    psutil.wait_procs([holder, *ours], timeout=120)
    assert not holder.is_running()
    assert [process for process in ours if process.is_running()] == []
    assert "Nothing is kept warm" in tune_jobs(folder, "warm", "--stop").stdout


@pytest.mark.slow
def test_nothing_is_left_of_a_warm_ray_whose_process_was_killed(tmp_path: Path, own_warm: str) -> None:
    begun = tune_jobs(tmp_path, "warm", "--minutes", "5")
    (number,) = re.findall(r"Process (\d+) keeps", begun.stdout)
    holder = psutil.Process(int(number))
    ours = holder.children(recursive=True)
    assert len(ours) >= 3
    holder.kill()
    _, alive = psutil.wait_procs(ours, timeout=120)  # Ray's agents take about a minute to see that their raylet is gone
    assert alive == []
