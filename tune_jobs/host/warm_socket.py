"""The socket on which a warm Ray of this user answers, if there is one. It imports nothing that takes time."""

from __future__ import annotations

import hashlib
import locale
import os
import platform
import resource
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tune_jobs.host.fork_launcher import check_user, receive, send

VARIABLE = "TUNE_JOBS_WARM"
OFF = "off"
_ANSWER_S = 20.0


def name_of_users_own() -> str:
    """Return the name of the socket of the Ray that this user keeps warm with this Python and this version of ours."""
    made_of = [os.getuid(), sys.prefix, platform.python_version(), Path(__file__), os.environ.get(VARIABLE, "")]
    return f"tune-jobs-warm-{hashlib.sha256(repr(made_of).encode()).hexdigest()[:32]}"


@contextmanager
def connected(name: str) -> Iterator[socket.socket | None]:
    """Connect to the process that holds a warm Ray; None if there is none, or it is another user's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWER_S)
        try:
            connection.connect(f"\0{name}")
            check_user(connection)
        except OSError:
            yield None
            return
        yield connection


def asked(connection: socket.socket, order: str, **content: Any) -> dict[str, Any]:
    """Return the answer of the process that holds a warm Ray; a refusal if it has ended."""
    with suppress(OSError):
        send(connection, {"order": order, **content})
        answer = receive(connection)
        if answer is not None:
            return answer.content
    return {"refusal": "it has ended"}


def commands_socket(name: str) -> str:
    """Return the name of the socket on which a process beside a warm Ray carries out commands."""
    return f"{name}-commands"


def own_limits() -> dict[str, Any]:
    """Return what a process inherits besides its variables, folder and streams: its user, limits and interpreter."""
    limits = {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")}
    spaces = {name: os.readlink(f"/proc/self/ns/{name}") for name in ("mnt", "net", "pid", "user")}  # noqa: PTH115
    flags = [name for name in dir(sys.flags) if not name.startswith(("_", "n_", "safe_path"))]
    return {
        "user": [*os.getresuid(), *os.getresgid(), *sorted(os.getgroups())],
        "limits": {name: list(limit) for name, limit in limits.items()},
        "namespaces": spaces,
        "CPUs": sorted(os.sched_getaffinity(0)),
        "niceness": os.getpriority(os.PRIO_PROCESS, 0),
        "locale": locale.setlocale(locale.LC_CTYPE),
        "root": os.readlink("/proc/self/root"),  # noqa: PTH115
        "Python's options": [
            sorted(sys._xoptions.items()),  # noqa: SLF001 - documented
            sys.warnoptions,
            [[name, value] for name in flags if isinstance(value := getattr(sys.flags, name), int)],
        ],
    }


def is_kept_warm() -> bool:
    """Return whether this user keeps a Ray warm that runs of this process may use."""
    if os.environ.get(VARIABLE) == OFF:
        return False
    with connected(name_of_users_own()) as connection:
        return connection is not None
