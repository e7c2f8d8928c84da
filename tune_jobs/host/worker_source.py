"""The driver's side of the process that workers are forked from: its start, its socket, and its end."""

from __future__ import annotations

import os
import secrets
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from trainables.tensorflow_log import QUIET_TENSORFLOW
from tune_jobs.host import fork_launcher, fork_server
from tune_jobs.host.capacity import this_machine
from tune_jobs.host.environment import own_packages, read_by_frameworks
from tune_jobs.host.fork_launcher import receive, send
from tune_jobs.host.warm_socket import is_kept_warm

_END_S = 5.0
_FRAMEWORKS = ("keras", "tensorflow", "jax", "torch", "numpy")
_EARLY: list[WorkerSource] = []


class WorkerSource:
    """A process that imports Keras, and forks workers from then on. It ends when this one does.

    Args:
        environment: The variables that it imports Keras with.
        modules: The modules that it imports.
    """

    def __init__(self, environment: Mapping[str, str], modules: Sequence[str] = fork_server.FORKED_WITH) -> None:
        self._own, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._is_asking = threading.Lock()
        self._environment = dict(environment)
        self._program = os.memfd_create("python")
        with theirs:
            # -P: modules of the current folder must not take the place of installed ones.
            self._process = subprocess.Popen(  # noqa: S603 - a file of this package
                [sys.executable, "-P", "-m", fork_server.__name__, *modules],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**environment, "PYTHONPATH": os.pathsep.join([*own_packages(), *_folders(environment)])},
            )

    @property
    def process_id(self) -> int:
        """The number of the process."""
        return self._process.pid

    def suits(self, environment: Mapping[str, str]) -> bool:
        """Return whether workers with these variables would import the same as this process.

        Args:
            environment: The variables that the workers will have.
        """
        before, now = self._environment, environment
        added = [Path(folder) for folder in _folders(now) if folder not in _folders(before)]
        has_others = any((folder / name).exists() for folder in added for name in _FRAMEWORKS)
        return read_by_frameworks(before) == read_by_frameworks(now) and not has_others

    def listen(self) -> Path:
        """Make it fork the workers of a Ray.

        Returns:
            The program that Ray is to start instead of Python. It lies in this process's memory: no folder is needed
            that other users cannot write into, and that somebody has to remove.

        Raises:
            OSError: No program can be started from there.
        """
        name = f"tune-jobs-{secrets.token_hex(16)}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(f"\0{name}")
            listener.listen(1024)
            # It answers when it has imported everything. Until then, workers that Ray starts wait for it.
            send(self._own, {"order": "listen"}, [listener.fileno()])
        # Without the folders of installed packages, and without the person's variables, Python starts in 0.02 s.
        command = [sys.executable, "-I", "-S", fork_launcher.__file__, name, sys.executable]
        os.write(self._program, f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n'.encode())
        program = Path(f"/proc/{os.getpid()}/fd/{self._program}")
        subprocess.run([program, "-I", "-S", "-c", "pass"], check=True, stdin=subprocess.DEVNULL, timeout=_END_S)  # noqa: S603
        return program

    def refusal(self) -> str | None:
        """Wait until it has imported everything, and return why it forks nothing; None if it does."""
        answer = self._asked({"order": "status"})
        refusal: str | None = answer["refusal"]
        return refusal

    def prepare(self, started_with: Mapping[str, str], environment: Mapping[str, str], folder: str) -> None:
        """Give the workers that it forks from now on other variables and another folder, and end those it has forked.

        Args:
            started_with: The variables that Ray was started with. What Ray adds to them for a worker is kept.
            environment: The variables of the process that the workers work for.
            folder: The folder that they begin in.
        """
        self._asked(
            {
                "order": "prepare",
                "started_with": dict(started_with),
                "environment": dict(environment),
                "folder": folder,
            }
        )

    def end_workers(self, spare: int = 0, modules: Sequence[str] = ()) -> None:
        """End all workers that it has forked.

        Args:
            spare: The number of workers that it keeps for the next job of the same Ray: see ``spare_workers.py``.
            modules: The modules that these import.
        """
        self._asked({"order": "end workers", "spare": spare, "modules": list(modules)})

    def _asked(self, order: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {"refusal": "the process that workers are forked from has ended"}
        with self._is_asking, suppress(OSError):
            send(self._own, order)
            message = receive(self._own)
            answer = answer if message is None else message.content
        return answer

    def close(self) -> None:
        """End it. It has nothing to put in order, and workers that still run are left to their Ray."""
        if self._process.returncode is None:
            self._own.close()
            os.close(self._program)
            self._process.kill()
            self._process.wait()


@contextmanager
def workers_imported_early() -> Iterator[None]:
    """Begin to import Keras in the process that a run's workers will be forked from, and end it after the block.

    A command and a call of ``run`` begin it before they know whether there is a mistake: it takes seconds, on another
    CPU. Nothing is begun where the workers would not be forked from it: on a cluster, with GPUs, and where a Ray is
    kept warm. Nor where there is one CPU, because then it would delay the message about a mistake.
    """
    machine = this_machine()
    joins = os.environ.get("RAY_ADDRESS", "local") not in ("", "local")
    if _EARLY or joins or machine.gpus or machine.cpus == 1 or is_kept_warm():
        yield
        return
    with begun_early({**QUIET_TENSORFLOW, **os.environ}):
        yield


@contextmanager
def begun_early(environment: Mapping[str, str]) -> Iterator[None]:
    """Begin to import Keras for the workers of a run that this process is about to begin.

    Args:
        environment: The variables that the workers will have, as far as they are known.
    """
    source = WorkerSource(environment)
    _EARLY.append(source)
    try:
        yield
    finally:
        _EARLY.clear()
        source.close()


def take_early(environment: Mapping[str, str]) -> WorkerSource | None:
    """Return the process that was begun early for workers with these variables; None if there is none.

    One that does not suit them is ended.

    Args:
        environment: The variables that the workers will have.
    """
    source = _EARLY.pop() if _EARLY else None
    if source is None or source.suits(environment):
        return source
    source.close()
    return None


def drop_early() -> None:
    """End the process that was begun early, if there is one: the run does not need it."""
    while _EARLY:
        _EARLY.pop().close()


def _folders(environment: Mapping[str, str]) -> list[str]:
    return [folder for folder in environment.get("PYTHONPATH", "").split(os.pathsep) if folder]
