"""The lease of a warm Ray: one run at a time, of this user, with the same imports; without a Ray."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from tune_jobs.engine.on_ray import session
from tune_jobs.engine.on_ray.local import PRELOADED
from tune_jobs.engine.on_ray.warm import client, holder
from tune_jobs.engine.on_ray.warm.begin import begin_for_user, stop_for_user, warm
from tune_jobs.engine.on_ray.warm.client import leased, why_unsuited
from tune_jobs.engine.on_ray.warm.holder import Holder
from tune_jobs.engine.on_ray.warm.imports import differing, imports_signature
from tune_jobs.errors import RequestError
from tune_jobs.host import fork_launcher, warm_socket
from tune_jobs.host.capacity import Machine, Node
from tune_jobs.host.warm_socket import asked, connected
from tune_jobs.host.worker_source import WorkerSource

TWO = Machine((Node(cpus=2),))


class FakeSource:
    """Remembers what it was told."""

    process_id = os.getpid()

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.spare: list[tuple[Any, ...]] = []
        self.reason: str | None = None

    def refusal(self) -> str | None:
        return self.reason

    def prepare(self, started_with: dict[str, str], environment: dict[str, str], folder: str) -> None:
        self.told.append((environment["OF_THE_RUN"], folder))

    def end_workers(self, spare: int, modules: Sequence[str]) -> None:
        self.spare.append((spare, *modules))
        if len(self.spare) > 1:  # the first time there are none yet
            self.told.append("ended")


class Held:
    """A holder without a Ray, in a thread."""

    def __init__(self, name: str, idle_s: float = 100.0) -> None:
        self.source = FakeSource()
        facts = {"signature": imports_signature(os.environ), "machine": [2, 0], "address": "here:1", "token": ["t"]}
        self.now_s = 0.0
        source = cast(WorkerSource, self.source)
        self.holder = Holder(source, facts, os.environ, idle_s, 2, lambda: self.now_s)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(f"\0{name}")
        self._listener.listen()
        self.thread = threading.Thread(target=self._hold, daemon=True)
        self.thread.start()

    def _hold(self) -> None:
        with self._listener:
            self.holder.hold(self._listener, None)

    def has_ended(self) -> bool:
        self.thread.join(60)
        return not self.thread.is_alive()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    monkeypatch.setattr(holder, "_LOOK_S", 0.02)
    monkeypatch.setenv(warm_socket.VARIABLE, secrets.token_hex(8))
    held = Held(warm_socket.name_of_users_own())
    yield held
    held.holder.end()
    assert held.has_ended()


def wait_for(source: FakeSource, count: int) -> list[Any]:
    begun_s = time.monotonic()
    while len(source.told) < count:
        assert time.monotonic() - begun_s < 60
        time.sleep(0.005)
    return source.told


def test_a_run_gets_the_ray_and_its_workers_end_with_the_lease(held: Held) -> None:
    told: list[str] = []
    with leased(TWO, [], told.append) as lease:
        assert lease is not None
        assert (lease.address, lease.token) == ("here:1", ["t"])
        lease.prepare({"OF_THE_RUN": "1"}, Path("/folder"))
        assert held.source.told == [("1", "/folder")]
    assert wait_for(held.source, 2)[1] == "ended"
    assert told == [f"This run uses the Ray that is kept warm by the process {os.getpid()}."]


def test_workers_wait_for_the_next_run(held: Held) -> None:
    with leased(TWO, [], lambda _: None):
        assert held.source.spare == [(2, *holder.SPARE_MODULES)]
    wait_for(held.source, 1)
    assert held.source.spare == 2 * [(2, *holder.SPARE_MODULES)]


def refusals(machine: Machine = TWO, tokens: tuple[str, ...] = ()) -> list[str]:
    told: list[str] = []
    with leased(machine, tokens, told.append) as lease:
        assert lease is None
    return told


def test_one_run_at_a_time_uses_it(held: Held) -> None:
    with leased(TWO, [], lambda _: None):
        assert "another run uses it now" in refusals()[0]
    wait_for(held.source, 1)
    with leased(TWO, [], lambda _: None) as lease:
        assert lease is not None


def test_it_is_not_used_where_something_differs(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "CPUs or GPUs" in refusals(Machine((Node(cpus=3),)))[0]
    assert "another token" in refusals(tokens=("other",))[0]
    monkeypatch.setenv("KERAS_BACKEND", "another")
    assert "KERAS_BACKEND" in refusals()[0]
    monkeypatch.undo()
    held.source.reason = "broken"


def test_it_is_not_used_where_it_is_switched_off(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(warm_socket.VARIABLE, warm_socket.OFF)
    assert refusals() == []


@pytest.mark.parametrize(
    ("machine", "imports_keras", "reason"),
    [
        (Machine((Node(cpus=2),), is_cluster=True), True, "uses a cluster"),
        (Machine((Node(cpus=2, gpus=1),)), False, "has GPUs"),
        (TWO, False, "`step` of its own"),
    ],
)
def test_a_run_that_can_use_none_says_why(
    held: Held, machine: Machine, imports_keras: bool, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def no_ray(*_: Any) -> Iterator[Callable[[], None]]:
        yield lambda: None

    for name in ("local_ray", "worker_source"):
        monkeypatch.setattr(session, name, no_ray)
    monkeypatch.setattr(session, "_joined_ray", no_ray)
    told: list[str] = []
    with session.ray_session(machine, PRELOADED if imports_keras else {}, told.append):
        pass
    assert [reason in one for one in told] == [True]
    monkeypatch.setenv(warm_socket.VARIABLE, secrets.token_hex(8))  # nobody keeps that one
    with session.ray_session(machine, PRELOADED if imports_keras else {}, told.append):
        pass
    assert len(told) == 1
    assert held.source.told == []


def test_a_run_needs_a_ray_that_can_read_its_variables_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_unsuited(TWO, imports_keras=True) is None
    monkeypatch.setattr(client, "can_reread_variables", lambda: False)
    assert "installed Ray" in str(why_unsuited(TWO, imports_keras=True))


def test_a_process_of_another_user_is_not_asked(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_launcher.os, "getuid", lambda: os.geteuid() + 1)
    with connected(warm_socket.name_of_users_own()) as connection:
        assert connection is None


def test_it_ends_when_it_was_idle_for_long_but_not_while_it_is_used(held: Held) -> None:
    with leased(TWO, [], lambda _: None):
        held.now_s = 200.0
        time.sleep(0.1)
        assert held.thread.is_alive()
    wait_for(held.source, 1)
    held.now_s = 290.0
    time.sleep(0.1)
    assert held.thread.is_alive()
    held.now_s = 310.0
    assert held.has_ended()


def test_it_ends_when_it_has_too_much_memory(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holder, "MOST_BYTES", 1)
    assert held.has_ended()


def test_it_is_stopped_and_begun_once(held: Held) -> None:
    assert begin_for_user(5)["is_new"] is False
    assert stop_for_user() == os.getpid()
    assert held.has_ended()
    assert stop_for_user() is None


def test_nonsense_is_no_order(held: Held) -> None:
    with connected(warm_socket.name_of_users_own()) as connection:
        assert connection is not None
        connection.sendall(b"\0\0\0\2{}")
        assert connection.recv(1) == b""
    with connected(warm_socket.name_of_users_own()) as connection:
        assert connection is not None
        assert asked(connection, "status")["is_used"] is False


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf"), "5", True])
def test_a_wrong_number_of_minutes_is_refused(minutes: Any) -> None:
    with pytest.raises(RequestError, match="minutes"):
        warm(minutes)


def test_what_decides_about_imports(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "KERAS_BACKEND": "jax", "OTHER": "1"}
    before = imports_signature(environment)
    assert differing(before, imports_signature({**environment, "OTHER": "2"})) == []
    assert differing(before, imports_signature({**environment, "KERAS_BACKEND": "torch"})) == ["KERAS_BACKEND"]
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text("{}")
    assert differing(before, imports_signature(environment)) == ["keras.json"]
