"""The process that holds a warm Ray: ``python -P -m tune_jobs.engine.on_ray.warm.holder NAME MINUTES [own]``.

It starts a Ray and the process that forks workers, leases both to one run after another, and ends when nobody has used
them for a while, when it is told to, or when its memory grows. However it ends, its Ray ends with it.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from trainables.tensorflow_log import QUIET_TENSORFLOW
from tune_jobs.engine.on_ray.folders import ray_folder
from tune_jobs.engine.on_ray.local import PRELOADED, local_ray, worker_source
from tune_jobs.engine.on_ray.session import RAY_VARIABLES, own_ray_variables, token_variables
from tune_jobs.engine.on_ray.warm.imports import differing, imports_signature
from tune_jobs.host.capacity import this_machine
from tune_jobs.host.environment import variables_set
from tune_jobs.host.fork_launcher import check_user, receive, send
from tune_jobs.host.warm_socket import commands_socket
from tune_jobs.host.worker_source import WorkerSource

SPARE_MODULES = ("trainables.worker",)
MOST_SPARE = 8  # workers that wait for the next run; each has 40 MB of its own
MOST_BYTES = 4 * 2**30
_COMMANDS = "tune_jobs.engine.on_ray.warm.commands"
_END_S = 20.0
_LOOK_S = 5.0
_ANSWER_S = 20.0
# Workers that begin before there is a run would have no run's variables.
_WORKER_VARIABLES = {**PRELOADED, "RAY_prestart_worker_first_driver": "0"}


class Holder:
    """The loop of the process.

    Args:
        source: The process that workers are forked from.
        facts: What a run is told, and asked for: ``signature``, ``machine``, ``address`` and ``token``.
        started_with: The variables that Ray was started with.
        idle_s: The seconds without a run after which it ends.
        spare: The number of workers that wait for the next run.
        clock: Returns the time that has passed, in seconds.
    """

    def __init__(
        self,
        source: WorkerSource,
        facts: Mapping[str, Any],
        started_with: Mapping[str, str],
        idle_s: float,
        spare: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._facts = facts
        self._started_with = dict(started_with)
        self._idle_s = idle_s
        self._spare = spare
        self._clock = clock
        self._used_s = clock()
        self._user: socket.socket | None = None
        self._is_told_to_end = False
        self._selector = selectors.DefaultSelector()

    def hold(self, listener: socket.socket, owner: int | None) -> None:
        """Lease the Ray to runs until it is no longer wanted.

        Args:
            listener: The socket on which runs ask.
            owner: A descriptor that is closed when the process that started this one has ended; None: nobody's.
        """
        self._end_workers()
        self._selector.register(listener, selectors.EVENT_READ)
        if owner is not None:
            self._selector.register(owner, selectors.EVENT_READ)
        while not self._is_told_to_end and not self._has_idled() and self._is_small():
            for key, _ in self._selector.select(_LOOK_S):
                if key.fileobj is listener:
                    connection, _ = listener.accept()
                    connection.settimeout(_ANSWER_S)
                    self._selector.register(connection, selectors.EVENT_READ)
                elif isinstance(key.fileobj, socket.socket):
                    self._answer(key.fileobj)
                else:
                    self._is_told_to_end = True

    def _end_workers(self) -> None:
        self._source.end_workers(self._spare, SPARE_MODULES)

    def end(self) -> None:
        """End when the present order has been answered."""
        self._is_told_to_end = True

    def _answer(self, connection: socket.socket) -> None:
        try:
            check_user(connection)
            message = receive(connection)
            if message is not None:
                send(connection, self._obeyed(message.content, connection))
                return
        except (OSError, ValueError, KeyError):
            pass
        self._selector.unregister(connection)
        connection.close()
        if connection is self._user:
            self._user = None
            self._used_s = self._clock()
            self._end_workers()

    def _obeyed(self, order: Mapping[str, Any], connection: socket.socket) -> dict[str, Any]:
        match order["order"]:
            case "use":
                refusal = self._refusal(order)
                if refusal is None:
                    self._user = connection
                return {"refusal": refusal, "process": os.getpid(), **self._facts}
            case "prepare" if connection is self._user:
                self._source.prepare(self._started_with, order["environment"], order["folder"])
                return {"refusal": None}
            case "stop":
                self._is_told_to_end = True
        return {"refusal": None, "process": os.getpid(), "is_used": self._user is not None, "idle_s": self._idle_s}

    def _refusal(self, order: Mapping[str, Any]) -> str | None:
        if self._user is not None:
            return "another run uses it now"
        if order["machine"] != self._facts["machine"]:
            return "the CPUs or GPUs of this machine are others now"
        if changed := differing(order["signature"], self._facts["signature"]):
            return f"these have changed since it was started: {', '.join(changed)}"
        return self._source.refusal()

    def _has_idled(self) -> bool:
        return self._user is None and self._clock() - self._used_s >= self._idle_s

    def _is_small(self) -> bool:
        return self._user is not None or _own_bytes([os.getpid(), self._source.process_id]) < MOST_BYTES


def _own_bytes(processes: list[int]) -> int:
    """Return the memory that processes have for themselves."""
    pages = 0
    for process in processes:
        with suppress(OSError):
            _, resident, shared, *_ = map(int, Path(f"/proc/{process}/statm").read_text().split())
            pages += resident - shared
    return pages * os.sysconf("SC_PAGE_SIZE")


def main(name: str, minutes: float, owner: int | None) -> None:
    """Hold a warm Ray, and say in a line of JSON on the standard output when it can be used, or why not.

    Args:
        name: The name of the socket on which runs ask.
        minutes: The minutes without a run after which it ends.
        owner: A descriptor that is closed when the process that started this one has ended; None: nobody's.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is not the terminal's
    signature, machine = imports_signature(os.environ), this_machine()
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        try:
            listener.bind(f"\0{name}")
        except OSError as error:
            _say({"refusal": f"another process holds one already ({error.strerror})"})
            return
        commands = stack.enter_context(_command_server(name)) if owner is None else None
        folder = stack.enter_context(ray_folder())
        token = token_variables(os.environ)
        own = own_ray_variables(os.environ, folder)
        stack.enter_context(variables_set({**RAY_VARIABLES, **QUIET_TENSORFLOW, **own}))
        source = stack.enter_context(worker_source(_WORKER_VARIABLES))
        wait_until_started = stack.enter_context(local_ray(machine, folder, _WORKER_VARIABLES, source))
        wait_until_started()
        refusal = source.refusal()
        if refusal is not None:
            _say({"refusal": refusal})
            return
        import ray

        facts = {
            "signature": signature,
            "machine": [machine.cpus, machine.gpus],
            "address": ray.get_runtime_context().gcs_address,
            "token": list(token.values()),
        }
        with suppress(Exception):  # the variables of spare workers are told from those of one that Ray has started
            ray.get(ray.remote(num_cpus=0)(_do_nothing).remote(), timeout=_ANSWER_S)
        holder = Holder(source, facts, os.environ, minutes * 60, min(int(machine.cpus), MOST_SPARE))
        signal.signal(signal.SIGTERM, lambda *_: holder.end())
        listener.listen(64)
        processes = [os.getpid(), source.process_id]
        if commands is not None:
            processes.append(commands.pid)
            commands.wait_until_ready()
        _say({"refusal": None, "process": os.getpid(), "own_bytes": _own_bytes(processes)})
        holder.hold(listener, owner)


def _do_nothing() -> None:
    pass


class _Commands:
    """The process that carries out commands.

    Args:
        process: The process.
        socket: The socket to it, on which it says when it has imported everything.
    """

    def __init__(self, process: subprocess.Popen[bytes], socket: socket.socket) -> None:
        self.pid = process.pid
        self._socket = socket

    def wait_until_ready(self) -> None:
        """Wait until it has imported everything. If it cannot, commands are carried out by their own processes."""
        with suppress(OSError):
            receive(self._socket)


@contextmanager
def _command_server(name: str) -> Iterator[_Commands]:
    own, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - a module of this package
            [sys.executable, "-P", "-m", _COMMANDS, commands_socket(name)],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        yield _Commands(process, own)
    finally:
        own.close()
        try:
            process.wait(_END_S)  # commands whose Ray has ended say so
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _say(content: Mapping[str, Any]) -> None:
    print(json.dumps(content), flush=True)  # noqa: T201 - the process that started this one reads it
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), 0 if sys.argv[3:] == ["own"] else None)
