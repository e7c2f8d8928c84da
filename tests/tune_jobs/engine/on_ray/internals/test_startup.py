"""The private names of Ray that make its start cheaper: the installed Ray has them, and starts without them."""

from __future__ import annotations

import inspect
import logging
import sys
from pathlib import Path
from typing import Any

import pytest
import ray
from ray._private import node, services, utils, worker

from tune_jobs.engine.on_ray.internals import startup
from tune_jobs.engine.on_ray.internals.startup import (
    init_local_ray,
    no_warning_about_signals,
    python_replaced,
    unused_processes_left_out,
)
from tune_jobs.host.fork_launcher import WORKER_SCRIPT

RAY = Path(ray.__file__).parent


def test_ray_still_has_what_is_replaced() -> None:
    assert list(inspect.signature(node.Node.start_monitor).parameters) == ["self"]
    assert list(inspect.signature(node.Node.start_api_server).parameters) == [
        "self",
        "include_dashboard",
        "raise_on_failure",
    ]
    assert "get_dashboard_dependency_error()" in inspect.getsource(ray._private.services.start_raylet)


def test_ray_still_reads_the_variables_of_its_first_workers() -> None:
    raylet = (RAY / "core/src/ray/raylet/raylet").read_bytes()
    assert b"RAY_preload_python_modules" in raylet
    assert b"RAY_prestart_worker_first_driver" in raylet
    assert "preload" in (RAY / "_private/workers/default_worker.py").read_text()


def test_ray_still_takes_these_arguments() -> None:
    source = inspect.getsource(worker.init)
    assert all(f'kwargs.pop("{name}"' in source for name in ("_memory", "_temp_dir"))
    assert "Unknown keyword argument" in source


def test_ray_still_handles_sigterm_in_the_main_thread_only_and_warns_elsewhere() -> None:
    source = " ".join(inspect.getsource(worker.init).split())
    assert "if threading.current_thread() is threading.main_thread(): ray._private.utils.set_sigterm" in source
    assert '"SIGTERM handler is not set' in source
    assert worker.logger.name == startup.LOGGER


def test_processes_that_nobody_asks_are_left_out_for_a_while() -> None:
    before = {name: getattr(node.Node, name) for name in startup.LEFT_OUT}
    with unused_processes_left_out():
        assert all(getattr(node.Node, name) is not before[name] for name in startup.LEFT_OUT)
        assert isinstance(utils.get_dashboard_dependency_error(), ImportError)
    assert {name: getattr(node.Node, name) for name in startup.LEFT_OUT} == before


def test_a_ray_without_these_names_is_started_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in ((node.Node, "start_monitor"), (utils, "get_dashboard_dependency_error")):
        monkeypatch.delattr(owner, name)
    with unused_processes_left_out():
        assert not hasattr(node.Node, "start_monitor")
    assert not hasattr(utils, "get_dashboard_dependency_error")


def test_ray_still_starts_its_workers_with_the_python_that_it_reads_there() -> None:
    source = inspect.getsource(services.start_raylet)
    assert "start_worker_command = ( [ sys.executable, setup_worker_path, ]" in " ".join(source.split())
    assert (RAY / "_private" / "workers" / WORKER_SCRIPT).exists()
    assert services.sys is sys


def test_workers_are_started_with_another_program_for_a_while() -> None:
    with python_replaced(Path("/program")):
        assert services.sys.executable == "/program"
        assert services.sys.version is sys.version
        assert sys.executable != "/program"
    assert services.sys is sys
    with python_replaced(None):
        assert services.sys is sys


def test_workers_are_started_with_python_where_ray_reads_it_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(services, "sys")
    with python_replaced(Path("/program")):
        assert not hasattr(services, "sys")


def test_ray_can_still_read_its_variables_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert startup.can_reread_variables()
    startup.reread_variables()
    monkeypatch.setattr(startup, "_module", lambda _: None)
    assert not startup.can_reread_variables()


def test_a_ray_without_these_modules_is_started_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(startup, "import_module", missing)
    with unused_processes_left_out():
        pass


@pytest.mark.parametrize("unknown", [(), ("_memory",), ("_temp_dir",), ("_memory", "_temp_dir")])
def test_ray_is_started_without_arguments_that_it_does_not_know(
    unknown: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, Any]] = []

    def init(**options: Any) -> None:
        if refused := [name for name in options if name in unknown]:
            raise RuntimeError(f"Unknown keyword argument(s): {', '.join(refused)}")
        started.append(options)

    monkeypatch.setattr(ray, "init", init)
    init_local_ray(Path("here"), 5, num_cpus=2)
    (options,) = started
    private = {"_memory": 5, "_temp_dir": "here"}
    expected = {name: value for name, value in private.items() if name not in unknown}
    assert options == {"address": "local", "num_cpus": 2, **expected}


def test_another_error_of_ray_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**_: Any) -> None:
        raise RuntimeError("no ports")

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(RuntimeError, match="no ports"):
        init_local_ray(Path("here"), 5)


def test_only_the_warning_about_signals_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger(startup.LOGGER)
    logger.addHandler(caplog.handler)  # Ray's loggers pass nothing on
    try:
        with no_warning_about_signals():
            logger.warning("SIGTERM handler is not set because current thread is not the main thread.")
            logger.warning("Several clusters run here.")
        logger.warning("SIGTERM again.")
    finally:
        logger.removeHandler(caplog.handler)
    assert set(caplog.messages) == {"Several clusters run here.", "SIGTERM again."}
