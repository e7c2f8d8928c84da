"""The workers that Ray starts with import Keras at once, and are those that get the trials."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import ray

from trainables import KerasTrainable
from tune_jobs.engine.on_ray.local import variables_of_first_workers
from tune_jobs.engine.on_ray.session import ray_session
from tune_jobs.host.capacity import Machine, Node

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class Asked:
    """What Ray makes an actor of."""

    def __init__(self) -> None:
        self._had_keras = "keras" in sys.modules

    def told(self) -> tuple[int, bool]:
        return os.getpid(), self._had_keras


def command_lines() -> dict[int, str]:
    lines = {}
    for each in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            lines[each.pid] = " ".join(each.cmdline())
    return lines


def test_trials_get_the_workers_that_imported_keras(ray_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(ray_folder))
    machine = Machine((Node(cpus=2, memory_bytes=1e9),))
    with ray_session(machine, variables_of_first_workers(machine, 2, KerasTrainable)) as is_there:
        is_there()
        begun_s = time.monotonic()
        workers: set[int] = set()
        while len(workers) < 2 and time.monotonic() - begun_s < 60:  # they are forked once Keras is imported
            time.sleep(0.1)
            lines = command_lines()
            workers = {pid for pid, line in lines.items() if line.startswith("ray::IDLE")}
        assert not [line for line in lines.values() if "monitor/monitor.py" in line or "dashboard/dashboard.py" in line]
        assert len([line for line in lines.values() if "fork_server" in line]) == 1
        actor = ray.remote(Asked)
        trials = [actor.options(num_cpus=1).remote() for _ in range(2)]
        told = ray.get([trial.told.remote() for trial in trials])
    assert len(workers) == 2
    assert sorted(told) == [(pid, True) for pid in sorted(workers)]
