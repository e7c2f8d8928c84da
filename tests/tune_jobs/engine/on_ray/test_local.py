"""A Ray of this machine is started with what a run needs, waited for, and ended whatever happens."""

from __future__ import annotations

import importlib.util
import os
import threading
from pathlib import Path
from typing import Any

import pytest
import ray

from trainables import KerasTrainable
from tune_jobs.engine.on_ray.local import local_ray, variables_of_first_workers
from tune_jobs.host.capacity import Machine, Node

TWO = Machine((Node(cpus=2, memory_bytes=1e9),))
PRELOAD = {"RAY_preload_python_modules": "trainables.worker_preload"}
NONE = {"RAY_prestart_worker_first_driver": "0"}


class Plain(KerasTrainable):
    pass


class Own(KerasTrainable):
    def step(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("machine", "trials", "trainable", "variables"),
    [
        (TWO, 2, Plain, PRELOAD),
        (TWO, 4, Plain, PRELOAD),  # half a CPU each
        (TWO, 1, Plain, {**PRELOAD, **NONE}),  # the other worker would never have a trial
        (Machine((Node(cpus=64),)), 16, Plain, {**PRELOAD, **NONE}),
        (TWO, 1, Own, NONE),
        (Machine((Node(cpus=2, gpus=1),)), 2, Plain, {}),  # only the trial knows its share
        (TWO, 2, Own, {}),  # it need not train with Keras
    ],
)
def test_what_workers_import_before_they_have_a_trial(
    machine: Machine, trials: int, trainable: type[KerasTrainable], variables: dict[str, str]
) -> None:
    assert variables_of_first_workers(machine, trials, trainable) == variables


def test_what_workers_import_exists() -> None:
    (module,) = PRELOAD.values()
    assert importlib.util.find_spec(module)


class FakeRay:
    """Starts when the test lets it, and remembers what it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> None:
        self.may_start, self.error = threading.Event(), error
        self.done: list[str] = []
        self.options: dict[str, Any] = {}
        self.variables: dict[str, str] = {}
        monkeypatch.setattr(ray, "init", self._start)
        monkeypatch.setattr(ray, "shutdown", lambda: self.done.append("ended"))

    def _start(self, **options: Any) -> None:
        self.may_start.wait()
        self.options = options
        self.variables = dict(os.environ)
        self.done.append("started")
        if self.error:
            raise self.error


def test_ray_is_told_of_the_machine_and_of_its_first_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeRay(monkeypatch)
    fake.may_start.set()
    with local_ray(TWO, Path("here"), PRELOAD) as wait_until_started:
        wait_until_started()
    assert (fake.options["num_cpus"], fake.options["num_gpus"], fake.options["include_dashboard"]) == (2, 0, False)
    assert fake.variables["RAY_preload_python_modules"] == "trainables.worker_preload"
    assert "RAY_preload_python_modules" not in os.environ


def test_it_starts_while_the_block_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeRay(monkeypatch)
    with local_ray(TWO, Path("here"), {}) as wait_until_started:
        assert fake.done == []
        fake.may_start.set()
        wait_until_started()
        assert fake.done == ["started"]
    assert fake.done == ["started", "ended"]


@pytest.mark.parametrize("error", [ValueError("bad data"), KeyboardInterrupt()])
def test_what_goes_wrong_meanwhile_is_told_once_ray_has_ended(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    fake = FakeRay(monkeypatch)
    fake.may_start.set()
    with pytest.raises(type(error)), local_ray(TWO, Path("here"), {}):
        raise error
    assert fake.done == ["started", "ended"]


def test_a_ray_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeRay(monkeypatch, OSError("no ports"))
    fake.may_start.set()
    with (
        pytest.raises(OSError, match="no ports"),
        local_ray(TWO, Path("here"), {}) as wait_until_started,
    ):
        wait_until_started()
    assert fake.done == ["started", "ended"]
