"""Workers that are forked before anybody asks for them: they have imported Ray too, and wait for a command line.

Ray reads some variables when it is imported, and never again (ray 2.60: ``RAY_JOB_ID``, ``RAY_RAYLET_PID``). Spare
workers import it with those that the next job's workers will have, as far as that can be told: a Ray counts its jobs.
A worker that turns out to have others is forked as if there were no spare ones.
"""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from tune_jobs.host.fork_launcher import Message, receive, send
from tune_jobs.host.forked_worker import import_all

_JOB = "RAY_JOB_ID"
_JOB_BYTES = 4
_SEND_S = 5.0
_OF_RAY = "RAY_"


class SpareWorkers:
    """The spare workers of the process that forks.

    Args:
        fork: Forks this process, and returns the number of the new process; None in that process; 0 if none can be.
    """

    def __init__(self, fork: Callable[[], int | None]) -> None:
        self._fork = fork
        self._seen: dict[str, str] = {}
        self._variables: dict[str, str] | None = None
        self._waiting: dict[int, socket.socket] = {}

    def see(self, environment: Mapping[str, str]) -> None:
        """Remember the variables of a worker that Ray has started. The next job's are told from the last one's."""
        self._seen = of_ray(environment)

    def make(self, count: int, modules: Sequence[str]) -> Message | None:
        """Make spare workers for the next job.

        Args:
            count: Their number.
            modules: The modules that they import.

        Returns:
            In a spare worker the request for the worker that it becomes. In the process that forks None.
        """
        variables = of_next_job(self._seen)
        if variables != self._variables:
            self.close()
        if variables is None:
            return None
        self._variables = variables
        while len(self._waiting) < count:
            own, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            process = self._fork()
            if process is None:
                own.close()
                self.close()
                return _waited(theirs, variables, modules)
            theirs.close()
            if not process:
                own.close()
                break
            own.settimeout(_SEND_S)
            self._waiting[process] = own
        return None

    def take(self, environment: Mapping[str, str], content: Mapping[str, object], streams: Sequence[int]) -> int:
        """Let a spare worker become the one that is asked for, and return its number; 0 if there is none like it.

        Args:
            environment: The variables that Ray gives to the worker.
            content: The request.
            streams: The descriptors of its standard streams.
        """
        if of_ray(environment) != self._variables:
            return 0
        while self._waiting:
            process, connection = self._waiting.popitem()
            with connection, suppress(OSError):
                send(connection, content, streams)
                return process
        return 0

    def close(self) -> None:
        """Let all of them end."""
        for connection in self._waiting.values():
            connection.close()
        self._waiting.clear()


def of_ray(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that Ray reads."""
    return {name: value for name, value in environment.items() if name.startswith(_OF_RAY)}


def of_next_job(variables: Mapping[str, str]) -> dict[str, str] | None:
    """Return the variables of the workers of the next job; None if they cannot be told.

    Args:
        variables: Those of a worker of the last job.
    """
    try:
        job = bytes.fromhex(variables.get(_JOB, ""))
        number = int.from_bytes(job, "little") + 1
        return {**variables, _JOB: number.to_bytes(_JOB_BYTES, "little").hex()} if len(job) == _JOB_BYTES else None
    except (ValueError, OverflowError):
        return None


def _waited(connection: socket.socket, variables: Mapping[str, str], modules: Sequence[str]) -> Message:
    """Import modules, and return the request that comes."""
    before = of_ray(os.environ)
    os.environ.update(variables)
    for module in modules:
        import_all([module])  # the worker will meet an error, and report it
    gc.collect()
    gc.freeze()
    for name in variables:
        del os.environ[name]
    os.environ.update(before)
    request = None
    with connection, suppress(OSError, ValueError):
        request = receive(connection)
    if request is None:
        os._exit(0)  # nobody needs it
    return request
