"""A command is handed over to a process that has imported all that it needs, where a Ray is kept warm."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from types import FrameType

_COMMANDS = "tune_jobs.engine.on_ray.warm.commands"
_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH")
_KILLED = 1


def hand_over(ctx: click.Context) -> None:
    """Let the process that is kept beside a warm Ray carry out this command, and exit as it does.

    Nothing happens where there is none, or where it could not do as this process does: then this one goes on.
    """
    from tune_jobs.host.fork_launcher import STREAMS, receive, send
    from tune_jobs.host.warm_socket import OFF, VARIABLE, commands_socket, connected, name_of_users_own

    is_there_already = getattr(getattr(sys.modules["__main__"], "__spec__", None), "name", None) == _COMMANDS
    if is_there_already or os.environ.get(VARIABLE) == OFF or None in (sys.stdin, sys.stdout, sys.stderr):
        return
    if [_descriptor(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)] != list(range(STREAMS)):
        return  # a program of somebody else's, such as a test, that calls the command
    with connected(commands_socket(name_of_users_own())) as connection:
        if connection is None:
            return
        answer = None
        with suppress(OSError, ValueError):
            send(connection, _request(), range(STREAMS))
            answer = receive(connection)
        if answer is None or "process" not in answer.content:
            return
        connection.settimeout(None)
        ended = None
        with _forwarded(answer.content["process"]) as send_signal, suppress(OSError):
            ended = receive(connection)
        if ended is None:
            send_signal(signal.SIGKILL)
            click.echo("Error: The process that carried this command out has ended.", err=True)
        status: int = _KILLED if ended is None else ended.content["status"]
        if status < 0:
            signal.signal(-status, signal.SIG_DFL)
            os.kill(os.getpid(), -status)
        ctx.exit(status)


def _descriptor(stream: Any) -> int | None:
    try:
        return int(stream.fileno())
    except (AttributeError, ValueError, OSError):
        return None


def _request() -> dict[str, Any]:
    from tune_jobs.host.warm_socket import own_limits

    umask = os.umask(0)
    os.umask(umask)
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return {
        "arguments": sys.argv,
        "path": sys.path,
        "code": [str(Path(word).absolute().parent) for word in sys.argv[1:] if ".py" in word],
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "umask": umask,
        "limits": own_limits(),
        "ignored": [int(one) for one in signal.valid_signals() if signal.getsignal(one) == signal.SIG_IGN],
        "blocked": [int(one) for one in signal.pthread_sigmask(signal.SIG_BLOCK, ())],
        "streams": [[stream.encoding, stream.errors, stream.line_buffering] for stream in streams],
    }


@contextmanager
def _forwarded(process: int) -> Iterator[Callable[[int], None]]:
    """Give the signals that come meanwhile to another process.

    Args:
        process: Its number.

    Yields:
        A function that gives it a signal.
    """
    descriptor = None
    with suppress(OSError):  # it has ended already
        descriptor = os.pidfd_open(process)  # nobody else gets this one, as it could be with its number

    def send_signal(number: int) -> None:
        if descriptor is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)

    def forward(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the interface's
        send_signal(number)

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the interface's
        send_signal(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        send_signal(signal.SIGCONT)

    handlers = {**dict.fromkeys(_FORWARDED, forward), "SIGTSTP": stop}
    before = {number: signal.getsignal(number) for number in (getattr(signal, name) for name in handlers)}
    for number, handler in zip(before, handlers.values(), strict=True):
        if before[number] != signal.SIG_IGN:  # as after nohup: the other process ignores it, too
            signal.signal(number, handler)
    try:
        yield send_signal
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)
