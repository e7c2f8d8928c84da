"""A Ray of this machine is started with what a run needs, waited for, and ended whatever happens."""

from __future__ import annotations

import importlib.util
import inspect
import threading
from pathlib import Path
from typing import Any

import pytest
import ray
from ray._private import node, parameter, utils, worker
from ray.tune.execution import class_cache

from trainables import KerasTrainable
from trainables.report import Report
from tune_jobs.engine.on_ray import local as local_ray
from tune_jobs.engine.on_ray.local import workers_at_start
from tune_jobs.host.capacity import Machine, Node

TWO = Machine((Node(cpus=2, memory_bytes=1e9),))
PRELOAD = {"preload_python_modules": ["trainables.worker_preload"]}
NONE = {"prestart_worker_first_driver": False}


class Plain(KerasTrainable):
    pass


class Own(KerasTrainable):
    def step(self) -> Report:
        return Report(done=True)


@pytest.mark.parametrize(
    ("machine", "trials", "trainable", "told"),
    [
        (TWO, 2, Plain, PRELOAD),
        (TWO, 4, Plain, PRELOAD),  # half a CPU each
        (TWO, 1, Plain, NONE),  # the other worker would never have a trial
        (Machine((Node(cpus=64),)), 16, Plain, NONE),
        (Machine((Node(cpus=2, gpus=1),)), 2, Plain, {}),  # its share is known to the trial only
        (TWO, 2, Own, {}),  # it need not train with Keras
    ],
)
def test_what_workers_import_before_they_have_a_trial(
    machine: Machine, trials: int, trainable: type[KerasTrainable], told: dict[str, Any]
) -> None:
    assert workers_at_start(machine, trials, trainable) == told


def test_what_workers_import_is_there() -> None:
    (module,) = PRELOAD["preload_python_modules"]
    assert importlib.util.find_spec(module)


def test_what_is_replaced_is_still_ray_s() -> None:
    assert list(inspect.signature(node.Node.start_monitor).parameters) == ["self"]
    assert list(inspect.signature(node.Node.start_api_server).parameters) == [
        "self",
        "include_dashboard",
        "raise_on_failure",
    ]
    assert "get_dashboard_dependency_error()" in inspect.getsource(ray._private.services.start_raylet)
    assert isinstance(class_cache.DEFAULT_ENV_VARS, dict)
    assert "RAY_CHDIR_TO_TRIAL_DIR" in class_cache.ENV_VARS_TO_PROPAGATE
    assert "preload" in (Path(ray.__file__).parent / "_private/workers/default_worker.py").read_text()


def test_the_processes_of_a_started_ray_are_those_that_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    left_out = {"start_monitor", "start_api_server"}
    before = {name: getattr(node.Node, name) for name in left_out}
    told: dict[str, Any] = {}

    def init(**asked: Any) -> None:
        told.update(asked)
        assert all(getattr(node.Node, name) is not before[name] for name in left_out)
        assert isinstance(utils.get_dashboard_dependency_error(), ImportError)

    monkeypatch.setattr(ray, "init", init)
    local_ray._start(TWO, Path("here"), PRELOAD)
    assert (told["num_cpus"], told["_system_config"], told["include_dashboard"]) == (2, PRELOAD, False)
    assert {name: getattr(node.Node, name) for name in left_out} == before


def test_ray_accepts_what_it_is_told() -> None:
    known = inspect.getsource(worker.init)
    assert all(f'"{name}"' in known or f" {name}:" in known for name in ("_memory", "_temp_dir", "_system_config"))
    assert "_system_config" in inspect.signature(parameter.RayParams).parameters


class Ray:
    """Starts when it is told to, and remembers what was asked of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> None:
        self.may_start, self.error, self.done = threading.Event(), error, []  # type: ignore[var-annotated]
        monkeypatch.setattr(local_ray, "_start", self._start)
        monkeypatch.setattr(ray, "shutdown", lambda: self.done.append("ended"))

    def _start(self, *_: Any) -> None:
        self.may_start.wait()
        self.done.append("started")
        if self.error:
            raise self.error


def test_it_starts_while_the_block_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Ray(monkeypatch)
    with local_ray.running(TWO, Path("here"), {}) as is_there:
        assert fake.done == []
        fake.may_start.set()
        is_there()
        assert fake.done == ["started"]
    assert fake.done == ["started", "ended"]


@pytest.mark.parametrize("error", [ValueError("bad data"), KeyboardInterrupt()])
def test_what_goes_wrong_meanwhile_is_told_once_ray_has_ended(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    fake = Ray(monkeypatch)
    fake.may_start.set()
    with pytest.raises(type(error)), local_ray.running(TWO, Path("here"), {}):
        raise error
    assert fake.done == ["started", "ended"]


def test_a_ray_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Ray(monkeypatch, OSError("no ports"))
    fake.may_start.set()
    with pytest.raises(OSError, match="no ports"), local_ray.running(TWO, Path("here"), {}) as is_there:
        is_there()
    assert fake.done == ["started", "ended"]


def test_trials_declare_no_environment_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Ray(monkeypatch)
    fake.may_start.set()
    monkeypatch.setenv("RAY_CHDIR_TO_TRIAL_DIR", "0")
    declared: list[Any] = []
    monkeypatch.setattr(ray, "remote", lambda **options: lambda cls: declared.append(options) or cls)
    with local_ray.running(TWO, Path("here"), {}):
        class_cache._ActorClassCache().get(Plain)
    class_cache._ActorClassCache().get(Plain)
    meanwhile, afterwards = (each["runtime_env"]["env_vars"] for each in declared)
    assert meanwhile == {}
    assert afterwards["RAY_CHDIR_TO_TRIAL_DIR"] == "0"
