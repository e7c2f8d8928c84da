"""The process that carries out commands beside a warm Ray: it has imported what they need, and forks itself for each.

It is started as ``python -P -m tune_jobs.engine.on_ray.warm.commands NAME``, and its standard input is a socket to
the process that holds the Ray. ``cli/hand_over.py`` asks it. It has never loaded code of a person's own.

It forks while it has one thread only. Ray draws random numbers for its IDs in the thread that imports it, so another
thread than the main one does: each fork draws its own (ray 2.60).
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tune_jobs.engine.on_ray.warm.imports import differing, imports_signature
from tune_jobs.host.fork_launcher import STREAMS, Message, check_user, receive, send
from tune_jobs.host.forked_worker import end_with_the_driver, import_all, prepared_for_forks, seed_anew, take_streams
from tune_jobs.host.surroundings import stay_frozen
from tune_jobs.host.warm_socket import own_limits

IMPORTED = (
    "ray",
    "hyperopt",
    "tune_jobs.cli.main",
    "tune_jobs.engine",
    "tune_jobs.engine.earlier_results.named",
    "tune_jobs.engine.on_ray.internals.late_imports",
    "tune_jobs.experiment.overrides",
    "tune_jobs.loading.loader",
    "tune_jobs.views.progress.choose",
    "tune_jobs.views.reports.run",
    "trainables.worker",
)
_IF_INSTALLED = ("sklearn.datasets",)  # many load their data with it, and it takes as long as Ray
_ANSWER_S = 5.0


class CommandServer:
    """The loop of that process.

    Args:
        owner: The socket to the process that holds the Ray.
        listener: The socket on which commands ask.
        signature: What this process has imported, as ``imports_signature`` tells it.
    """

    def __init__(self, owner: socket.socket, listener: socket.socket, signature: Mapping[str, str]) -> None:
        self._owner = owner
        self._listener = listener
        self._signature = signature
        self._limits = json.loads(json.dumps(own_limits()))
        self._processes: dict[socket.socket, int] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)
        for each in (owner, listener, self._woken):
            self._selector.register(each, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)

    def serve(self) -> Message | None:
        """Fork a process for each command until nobody holds the Ray any more, and the last command has ended.

        Returns:
            In the process that was forked, its request. In the server itself None, at its end.
        """
        is_wanted = True
        while is_wanted or self._processes:
            for key, _ in self._selector.select():
                if key.fileobj is self._woken:
                    with suppress(BlockingIOError):
                        self._woken.recv(4096)
                    self._tell_ends()
                elif key.fileobj is self._owner:
                    is_wanted = False
                    for each in (self._owner, self._listener):
                        self._selector.unregister(each)
                    self._listener.close()
                elif key.fileobj is self._listener:
                    if (request := self._accept()) is not None:
                        return request
                elif isinstance(key.fileobj, socket.socket):
                    self._kill(key.fileobj)
        return None

    def _accept(self) -> Message | None:
        connection, _ = self._listener.accept()
        connection.settimeout(_ANSWER_S)
        message = self._received(connection)
        if message is None:
            connection.close()
            return None
        process = os.fork()
        if not process:
            self._close(connection)
            return message
        for descriptor in message.descriptors:
            os.close(descriptor)
        self._processes[connection] = process
        self._selector.register(connection, selectors.EVENT_READ)
        with suppress(OSError):
            send(connection, {"process": process})
        return None

    def _received(self, connection: socket.socket) -> Message | None:
        """Return the command that somebody asks for; None if it cannot be carried out here, which is told."""
        message = None
        try:
            check_user(connection)
            message = receive(connection)
            if message is not None and len(message.descriptors) == STREAMS:
                if (refusal := self._refusal(message.content)) is None:
                    return message
                send(connection, {"refusal": refusal})
        except (OSError, ValueError, KeyError):
            pass
        for descriptor in message.descriptors if message is not None else ():
            os.close(descriptor)
        return None

    def _refusal(self, request: Mapping[str, Any]) -> str | None:
        changed = differing(imports_signature(request["environment"]), self._signature)
        changed += differing(request["limits"], self._limits)
        if changed:
            return f"these are others: {', '.join(changed)}"
        loaded = {name.partition(".")[0] for name in sys.modules}
        for folder in {*request["path"], *request["code"]} - set(sys.path):
            with suppress(OSError):
                if hidden := sorted(loaded & _importable(Path(folder or request["folder"]))):
                    return f"{folder} has modules of the same name as {', '.join(hidden)}"
        return None

    def _close(self, connection: socket.socket) -> None:
        """Close, in a process that was forked, what is the server's."""
        signal.set_wakeup_fd(-1)
        self._selector.close()
        for each in (self._owner, self._listener, self._woken, self._waker, connection, *self._processes):
            each.close()

    def _tell_ends(self) -> None:
        """Tell the commands whose processes have ended with which status they did."""
        for connection, process in list(self._processes.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                with suppress(OSError):
                    send(connection, {"status": os.waitstatus_to_exitcode(status)})
                self._forget(connection)

    def _kill(self, connection: socket.socket) -> None:
        """End the process of a command that was killed: as it was the command, its work would have ended."""
        with suppress(ProcessLookupError):
            os.kill(self._processes[connection], signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._processes[connection], 0)
        self._forget(connection)

    def _forget(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        connection.close()
        del self._processes[connection]


def _importable(folder: Path) -> set[str]:
    """Return the names of the modules that lie in a folder."""
    return {
        entry.name.partition(".")[0]
        for entry in folder.iterdir()
        if entry.suffix in (".py", ".so") or (entry.is_dir() and (entry / "__init__.py").exists())
    }


def _installed() -> list[str]:
    return [name for name in _IF_INSTALLED if importlib.util.find_spec(name.partition(".")[0]) is not None]


def become(request: Message) -> None:
    """Make this process what the command's own would be: its streams, variables, folder, signals and arguments."""
    content = request.content
    take_streams(request.descriptors)
    os.setpgid(0, 0)
    os.environ.clear()
    os.environ.update(content["environment"])
    os.chdir(content["folder"])
    os.umask(content["umask"])
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        ignored = number in content["ignored"]
        usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN if ignored else usual)
    signal.pthread_sigmask(signal.SIG_SETMASK, content["blocked"])
    seed_anew()
    stay_frozen()
    time.tzset()
    sys.argv[:], sys.path[:] = content["arguments"], content["path"]
    importlib.invalidate_caches()
    for descriptor, (name, mode) in enumerate((("stdin", "rb"), ("stdout", "wb"), ("stderr", "wb"))):
        encoding, errors, is_line_buffered = content["streams"][descriptor]
        file = open(descriptor, mode, closefd=False)  # noqa: SIM115 - a descriptor, for as long as the process
        setattr(sys, name, io.TextIOWrapper(file, encoding, errors, line_buffering=is_line_buffered))
        setattr(sys, f"__{name}__", getattr(sys, name))


def main(name: str, modules: Sequence[str] = IMPORTED) -> int | None:
    """Carry out commands on the socket of a name; return the status of a command's own process.

    Args:
        name: The name of the socket on which commands ask.
        modules: The modules to import.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_the_driver()
    owner = socket.socket(fileno=os.dup(0))
    signature = imports_signature(os.environ)
    refusals: list[str | None] = []
    importer = threading.Thread(target=lambda: refusals.append(import_all([*modules, *_installed()])))
    importer.start()
    importer.join()
    refusal = refusals[0] or prepared_for_forks()
    if refusal is not None:
        send(owner, {"refusal": refusal})
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(f"\0{name}")
        listener.listen(64)
        send(owner, {"refusal": None})
        request = CommandServer(owner, listener, signature).serve()
    if request is None:
        return None
    become(request)
    importlib.import_module("tune_jobs.cli.main").main(prog_name="tune-jobs")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
