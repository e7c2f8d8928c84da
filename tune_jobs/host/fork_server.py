"""A process that has imported Keras once, and forks the workers of a Ray from itself: none of them imports it again.

A driver starts ``python -P -m tune_jobs.host.fork_server MODULE …``, whose standard input is a socket to the driver.
Ray starts ``fork_launcher.py`` in Python's place, which asks this process for a worker.

The server forks while it has one thread only, so that no lock is held by a thread that the worker does not have. It
computes nothing and opens no connection before it forks. A worker is as new as one that Python started: it has none of
the modules of a person's own, and none of the state of an earlier run. Ray itself is imported after the fork, because
it reads the job of a worker from a variable when it is imported, and never again: see ``spare_workers.py``.
"""

from __future__ import annotations

import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tune_jobs.host.environment import read_by_frameworks
from tune_jobs.host.fork_launcher import ANSWER_S, STREAMS, Message, check_user, receive, send
from tune_jobs.host.forked_worker import become, end_with_the_driver, preload
from tune_jobs.host.spare_workers import SpareWorkers

PRELOADED = "trainables.worker_preload"
FORKED_WITH = (
    "trainables.reuse.early_keras",
    "trainables.training.executions",
    "trainables.keras_trainable",
    "tune_jobs.host.ray_dependencies",
)
_CRASHES = (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL)
_EARLY_S = 30.0
_IN_RAY, _NOT_YET = "ray::", "ray::IDLE"  # names of Ray's workers: with a task or an actor, and without


class Server:
    """The loop of the process that forks.

    Args:
        owner: The socket to the driver. When it is closed, the process ends.
        read: The variables that the imports have read.
        refusal: The reason why nothing can be forked; None: all is well.
    """

    def __init__(self, owner: socket.socket, read: Mapping[str, str], refusal: str | None) -> None:
        self._read = read
        self._owner = owner
        self._refusal = refusal
        self._listener: socket.socket | None = None
        self._workers: dict[int, tuple[float, dict[str, Any]]] = {}
        self._prepared_with: dict[str, Any] | None = None
        self._spare = SpareWorkers(self._forked)
        self._selector = selectors.DefaultSelector()
        self._selector.register(owner, selectors.EVENT_READ)
        self._woken, waker = socket.socketpair()
        for end in (self._woken, waker):
            end.setblocking(False)
        self._waker = waker
        self._selector.register(self._woken, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)

    def serve(self) -> Message | None:
        """Fork workers until the driver has gone.

        Returns:
            In the worker that was forked, its request. In the server itself None, at its end.
        """
        while True:
            for key, _ in self._selector.select():
                request = None
                if key.fileobj is self._woken:
                    with suppress(BlockingIOError):
                        self._woken.recv(4096)
                    self._reap()
                elif key.fileobj is self._owner:
                    message = receive(self._owner)
                    if message is None:
                        return None
                    request = self._obey(message)
                else:
                    request = self._accept()
                if request is not None:
                    return request

    def _obey(self, message: Message) -> Message | None:
        """Do what the driver wants, and return None; in a spare worker, that was forked for it, its request."""
        match message.content["order"]:
            case "listen":
                (descriptor,) = message.descriptors
                self._listener = socket.socket(fileno=descriptor)
                self._selector.register(self._listener, selectors.EVENT_READ)
                return None
            case "prepare":
                self._prepared_with = message.content
                self._end_workers()
            case "end workers":
                self._end_workers()
        send(self._owner, {"refusal": self._refusal})
        if message.content["order"] == "end workers" and self._refusal is None:
            return self._spare.make(message.content["spare"], message.content["modules"])
        return None

    def _accept(self) -> Message | None:
        assert self._listener is not None  # noqa: S101 - it is registered
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(ANSWER_S)
            try:
                check_user(connection)
                message = receive(connection)
            except (OSError, ValueError):
                return None
            if message is None or len(message.descriptors) != STREAMS:
                return None
            try:
                if _has_left(connection):
                    return None  # its launcher has become that worker
                content = self._prepared(message.content)
                process = self._worker(message, content, connection)
                if process is None:
                    return Message(content, message.descriptors)
                with suppress(OSError):
                    send(connection, {"process": process})
            finally:
                if os.getpid() == _SERVER:
                    for descriptor in message.descriptors:
                        os.close(descriptor)
        return None

    def _can_serve(self, environment: Mapping[str, str]) -> bool:
        """Return whether a worker with these variables would have made the same imports as this process."""
        if self._refusal is None and (wanted := read_by_frameworks(environment)) != self._read:
            changed = sorted(name for name in wanted.keys() | self._read if wanted.get(name) != self._read.get(name))
            self._refusal = f"Ray's workers have other values of {', '.join(changed)}."
        return self._refusal is None

    def _worker(self, request: Message, content: dict[str, Any], connection: socket.socket) -> int | None:
        """Return the process of a worker that is asked for; None in that process; 0 if there is none."""
        environment = request.content["environment"]
        if not self._can_serve(environment):
            return 0
        process: int | None = self._spare.take(environment, content, request.descriptors)
        self._spare.see(environment)
        process = process or self._forked()
        if process is None:
            connection.close()
            self._spare.close()
        elif process:
            self._workers[process] = (time.monotonic(), content)
        return process

    def _forked(self) -> int | None:
        """Return the process that was forked; None in that process; 0 if none can be."""
        try:
            process = os.fork()
        except OSError:
            return 0
        if process:
            return process
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for end in (self._owner, self._listener, self._woken, self._waker):
            if end is not None:
                end.close()
        return None

    def _prepared(self, content: dict[str, Any]) -> dict[str, Any]:
        """Return a request with the environment of the present run, if the Ray was begun by an earlier one."""
        if self._prepared_with is None:
            return content
        started_with = self._prepared_with["started_with"]
        of_ray = {
            name: value
            for name, value in content["environment"].items()
            if name.startswith("RAY_") or started_with.get(name) != value
        }
        return {
            **content,
            "environment": {**self._prepared_with["environment"], **of_ray},
            "folder": self._prepared_with["folder"],
        }

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
                name = _name(ended.si_pid)
                is_connected = name.startswith(_IN_RAY) and not name.startswith(_NOT_YET)
                _, status = os.waitpid(ended.si_pid, 0)
                begun_s, content = self._workers.pop(ended.si_pid, (0.0, None))
                crashed = os.WIFSIGNALED(status) and os.WTERMSIG(status) in _CRASHES and not is_connected
                if crashed and content is not None and time.monotonic() - begun_s < _EARLY_S:
                    self._refusal = "a worker has crashed that was forked"
                    self._start_plainly(content)

    def _start_plainly(self, content: dict[str, Any]) -> None:
        """Start the worker of a request by itself. Ray waits for it, and would wait for ever if none came."""
        subprocess.Popen(  # noqa: S603 - the command line is Ray's
            [sys.executable, *content["arguments"]],
            env=content["environment"],
            cwd=content["folder"],
            stdin=subprocess.DEVNULL,
        )

    def _end_workers(self) -> None:
        """End the workers that are left. They are this process's children: no other can have their numbers."""
        self._reap()
        for process in self._workers:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for process in list(self._workers):
            with suppress(ChildProcessError):
                os.waitpid(process, 0)
        self._workers.clear()


_SERVER = os.getpid()


def _has_left(connection: socket.socket) -> bool:
    """Return whether the other side has closed a connection."""
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and not connection.recv(1, socket.MSG_PEEK)


def _name(process: int) -> str:
    """Return the name of a process, also of one that has ended and was not waited for."""
    try:
        return Path(f"/proc/{process}/comm").read_text()
    except OSError:
        return ""


def serve(modules: Sequence[str]) -> Message | None:
    """Run the server on the socket that is the standard input; return the request in a forked worker.

    Args:
        modules: The modules to import.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the driver, which ends its run in good order
    end_with_the_driver()
    owner = socket.socket(fileno=os.dup(0))
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    read = read_by_frameworks(os.environ)
    return Server(owner, read, preload(modules)).serve()


if __name__ == "__main__":
    _folders = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    _base_path = [folder for folder in sys.path if folder not in _folders]
    _before = dict(os.environ)
    _request = serve(sys.argv[1:])
    if _request is not None:
        _added = {name: value for name, value in os.environ.items() if name not in _before}
        _code = become(_request, _added, _base_path)
        try:
            exec(_code, vars(sys.modules["__main__"]))  # noqa: S102 - Ray's script
        except Exception:
            _ray = sys.modules.get("ray")
            if _ray is not None and _ray.is_initialized():
                raise
            os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - a worker that can do without
