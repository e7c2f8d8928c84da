"""Messages between the processes that fork workers, and the program that Ray starts in Python's place.

``fork_launcher.py NAME PYTHON …`` is run by its path, and imports nothing of this project, so that it starts in 0.02 s.
It hands the worker's command line, environment and streams over to the server of that name (``fork_server.py``).
Whatever goes wrong, it becomes a plain Python with that command line.
"""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

WORKER_SCRIPT = "default_worker.py"  # Ray's; any other program that Ray starts by Python is left to Python
STREAMS = 3
ANSWER_S = 25.0  # Ray waits for a worker for 60 s, and has to get one, though it be late and started by itself
OOM_SCORE = Path("/proc/self/oom_score_adj")
_LENGTH = struct.Struct("!I")
_CREDENTIALS = struct.Struct("3i")  # process, user, group


class Message(NamedTuple):
    """The message of one process to another.

    Attributes:
        content: The content, as JSON has it.
        descriptors: The file descriptors that came with it.
    """

    content: dict[str, Any]
    descriptors: list[int]


def send(connection: socket.socket, content: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send a message.

    Args:
        connection: A Unix stream socket.
        content: The content, as JSON has it.
        descriptors: File descriptors that the other process gets copies of.
    """
    text = json.dumps(content).encode()
    passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    connection.sendmsg([_LENGTH.pack(len(text))], passed)
    connection.sendall(text)


def receive(connection: socket.socket) -> Message | None:
    """Return the next message; None if the other side has closed the connection."""
    descriptors = array.array("i")
    room = socket.CMSG_LEN(STREAMS * descriptors.itemsize)
    head, passed, _, _ = connection.recvmsg(_LENGTH.size, room)
    for level, kind, payload in passed:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(payload[: len(payload) - len(payload) % descriptors.itemsize])
    head += _exactly(connection, _LENGTH.size - len(head))
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    text = _exactly(connection, length)
    return Message(json.loads(text), list(descriptors)) if len(text) == length else None


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = connection.recv(min(count, 2**16))
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def check_user(connection: socket.socket) -> None:
    """Refuse a process of another user: whoever knows the name of such a socket can connect to it.

    Raises:
        PermissionError: The other side is another user's.
    """
    _, user, _ = struct.unpack(
        "3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    )
    if user != os.getuid():
        raise PermissionError(f"The process on the other side is of the user {user}.")


def launch(name: str, python: str, arguments: list[str]) -> None:
    """Have the server fork the worker of a command line, or become a Python with that command line.

    Args:
        name: The name of the server's socket.
        python: The path of Python.
        arguments: The command line without Python: a script and its arguments.
    """
    if arguments and Path(arguments[0]).name == WORKER_SCRIPT:
        with suppress(OSError, ValueError):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(ANSWER_S)
                connection.connect(f"\0{name}")
                check_user(connection)
                request = {
                    "arguments": arguments,
                    "environment": dict(os.environ),
                    "folder": str(Path.cwd()),
                    "blocked": sorted(int(one) for one in signal.pthread_sigmask(signal.SIG_BLOCK, ())),
                    "oom_score": OOM_SCORE.read_text().strip(),
                }
                send(connection, request, range(STREAMS))
                answer = receive(connection)
            if answer is not None and answer.content.get("process"):
                return
    os.execv(python, [python, *arguments])  # noqa: S606 - there is no shell to start it with


if __name__ == "__main__":
    launch(sys.argv[1], sys.argv[2], sys.argv[3:])
