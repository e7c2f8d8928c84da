"""The socket on which a warm Ray of this user answers, if there is one. It imports nothing that takes time."""

from __future__ import annotations

import hashlib
import os
import platform
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


def is_kept_warm() -> bool:
    """Return whether this user keeps a Ray warm that runs of this process may use."""
    if os.environ.get(VARIABLE) == OFF:
        return False
    with connected(name_of_users_own()) as connection:
        return connection is not None
