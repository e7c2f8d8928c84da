"""Joining a cluster: the addresses that are refused, what workers get, and the check of the run's folder."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from tune_jobs.engine.on_ray import cluster
from tune_jobs.engine.on_ray.storage_check import node_problems, shared_folder
from tune_jobs.errors import RequestError


@pytest.mark.parametrize(("value", "address"), [("", None), ("local", None), ("auto", "auto"), ("a:1", "a:1")])
def test_the_address_is_rays_own_variable(monkeypatch: pytest.MonkeyPatch, value: str, address: str | None) -> None:
    monkeypatch.setenv("RAY_ADDRESS", value)
    assert cluster.cluster_address() == address


@pytest.mark.parametrize("address", ["ray://head:10001", "http://head:8265", "head", "head:port", ":", "head:"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(RequestError, match="must be host:port"):
        cluster.join(address)


def test_an_address_that_nothing_listens_at_is_refused_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(RequestError, match=rf"No Ray answers at 127.0.0.1:{port} \(Connection refused\)"):
        cluster.join(f"127.0.0.1:{port}")


@pytest.fixture
def listening() -> Iterator[str]:
    """The address of something that accepts connections."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_ray_installs_no_signal_handlers_and_workers_get_what_this_process_has(
    listening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def init(**options: Any) -> None:
        """As Ray does: see ``internals/test_startup.py``."""
        asked.update(options, in_main_thread=threading.current_thread() is threading.main_thread())
        asked["overrides"] = os.environ["RAY_OVERRIDE_JOB_RUNTIME_ENV"]
        if asked["in_main_thread"]:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.delenv("RAY_OVERRIDE_JOB_RUNTIME_ENV", raising=False)
    before = signal.getsignal(signal.SIGTERM)
    cluster.join(listening)
    assert signal.getsignal(signal.SIGTERM) is before
    assert (asked["address"], asked["in_main_thread"], asked["overrides"]) == (listening, False, "1")
    assert asked["runtime_env"]["env_vars"]["KERAS_BACKEND"] == "tensorflow"
    assert "RAY_OVERRIDE_JOB_RUNTIME_ENV" not in os.environ


def test_a_cluster_that_refuses_is_told_in_one_line(listening: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**_: Any) -> None:
        raise ConnectionError("another\nversion")

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(RequestError, match=rf"at {listening} cannot be joined \(ConnectionError: another\)"):
        cluster.join(listening)


def test_what_workers_get_adds_to_what_the_job_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = tmp_path
    (lab / "layers").mkdir()
    for file in ("experiment.py", "parts.py", "layers/__init__.py"):
        (lab / file).write_text("")
    monkeypatch.chdir(lab)
    monkeypatch.setattr(cluster, "own_folders", lambda: [str(lab), str(lab / "layers")])
    sent = cluster.runtime_env_of_workers({"working_dir": "gcs://a.zip", "py_modules": ["gcs://b.zip"]})
    assert sent["py_modules"] == ["gcs://b.zip"]
    assert len(cluster.runtime_env_of_workers({})["py_modules"]) == 3
    monkeypatch.setattr(cluster, "own_folders", list)
    assert "py_modules" not in cluster.runtime_env_of_workers({})


def test_a_folder_is_told_from_another_of_its_name_by_what_is_in_it(tmp_path: Path) -> None:
    folder = shared_folder(str(tmp_path))
    token = f"tune-jobs asks whether all nodes see this folder {'0' * 32}\n"
    assert folder.look(".seen-1", token) == f"does not see the folder {tmp_path}"
    folder.mark(".seen-1", token)
    assert folder.look(".seen-1", token) is None
    assert folder.look(".seen-1", "other") == f"has another folder {tmp_path}"
    assert [path.name for path in tmp_path.iterdir()] == [".seen-1"]
    folder.mark(".seen-2", token)  # the first was left by a driver that was killed
    assert [path.name for path in tmp_path.iterdir()] == [".seen-2"]
    folder.unmark(".seen-2")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_an_object_store_is_asked_the_same(tmp_path: Path) -> None:
    folder = shared_folder(tmp_path.as_uri())
    assert folder.look(".seen-1", "token") == f"does not see the folder {tmp_path.as_uri()}"
    folder.mark(".seen-1", "token")
    assert folder.look(".seen-1", "token") is None
    assert folder.look(".seen-1", "other") == f"has another folder {tmp_path.as_uri()}"
    folder.unmark(".seen-1")
    assert list(tmp_path.iterdir()) == []
    assert "give each the credentials" in folder.rule


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".seen-1").write_text("token")

    def refuse(path: Path, exist_ok: bool = True) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    assert (
        shared_folder(str(tmp_path)).look(".seen-1", "token") == f"cannot use the folder {tmp_path} (Permission denied)"
    )


def test_a_node_that_died_while_it_was_asked_is_not_blamed() -> None:
    answers = {"a": None, "b": "does not see the folder runs", "c": "cannot run trials: it is gone"}
    assert node_problems(answers, {"a": "first", "b": "second"}) == ["The node second does not see the folder runs."]
