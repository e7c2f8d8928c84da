"""The beginning and the end of a warm Ray: for the runs of this process, or for all runs of this user."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tune_jobs.engine.on_ray.session import token_variables
from tune_jobs.engine.on_ray.warm import client
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.host import warm_socket
from tune_jobs.host.capacity import this_machine
from tune_jobs.host.environment import own_packages

DEFAULT_MINUTES = 30.0
_HOLDER = "tune_jobs.engine.on_ray.warm.holder"
_START_S = 180.0
_END_S = 30.0


class Warm:
    """A Ray with imported workers for the runs of this process. It ends with the block, with ``close``, or with Python.

    Args:
        minutes: The minutes without a run after which it ends.
    """

    def __init__(self, minutes: float) -> None:
        self._name = f"tune-jobs-warm-{secrets.token_hex(16)}"
        self._process = _begun(self._name, minutes, is_own=True)
        self._answer: dict[str, Any] | None = None
        self._is_reading = threading.Lock()
        client.IN_PROCESS.append(self._ready_name)

    def wait(self) -> None:
        """Wait until it can be used. A run does this by itself.

        Raises:
            RunFailed: It could not be started. Runs start a Ray of their own then.
        """
        if (refusal := self._started().get("refusal")) is not None:
            raise RunFailed(f"No Ray can be kept warm: {refusal}.")

    def close(self) -> None:
        """End it."""
        if self._ready_name in client.IN_PROCESS:
            client.IN_PROCESS.remove(self._ready_name)
        _ended(self._process)

    def _ready_name(self) -> str | None:
        return None if self._started().get("refusal") is not None else self._name

    def _started(self) -> dict[str, Any]:
        with self._is_reading:
            if self._answer is None:
                self._answer = _first_line(self._process)
            return self._answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def warm(minutes: float = DEFAULT_MINUTES) -> Warm:
    """Keep a Ray and what its workers import for all runs of this process.

    A run takes seconds to start Ray, and each worker takes seconds to import Keras. Within the block, and in a notebook
    until ``close``, runs find both done. Workers are new ones in each run: they load the code of the experiment anew.

    It returns at once, and starts in the background. It belongs to this process, and ends with it. Where runs cannot
    use it (on a cluster, with GPUs, with another KERAS_BACKEND), they say why, and start a Ray of their own.

    Args:
        minutes: The minutes without a run after which it ends.

    Returns:
        The warm Ray, a context manager.

    Raises:
        RequestError: The number of minutes is none, or this machine has GPUs.

    Example:
        >>> import tune_jobs
        >>> from tune_jobs.examples.digits_mlp import EXPERIMENT
        >>> small = EXPERIMENT.override(trials=1, max_epochs=1)
        >>> with tune_jobs.warm():
        ...     first = tune_jobs.run(small, storage="runs", name="cold-no-more")
        ...     second = tune_jobs.run(small, storage="runs", name="warm")
        >>> [len(run.history().trials) for run in (first, second)]
        [1, 1]
    """
    _check(minutes)
    return Warm(minutes)


def begin_for_user(minutes: float) -> dict[str, Any]:
    """Start a warm Ray for all runs of this user that this Python and this version of ours begin.

    Args:
        minutes: The minutes without a run after which it ends.

    Returns:
        ``process``, its number; ``is_new``, False if there was one already; ``own_bytes``, its memory.

    Raises:
        RequestError: The number of minutes is none, or this machine has GPUs.
        RunFailed: It cannot be started.
    """
    _check(minutes)
    if os.environ.get(warm_socket.VARIABLE) == warm_socket.OFF:
        raise RequestError(
            f"{warm_socket.VARIABLE} is {warm_socket.OFF}, so that no run would use a warm Ray: unset it."
        )
    name = warm_socket.name_of_users_own()
    if (present := _status(name)) is not None:
        return {**present, "is_new": False}
    process = _begun(name, minutes, is_own=False)
    answer = _first_line(process)
    if (refusal := answer.get("refusal")) is not None:
        raise RunFailed(f"No Ray can be kept warm: {refusal}.")
    return {**answer, "is_new": True}


def stop_for_user() -> int | None:
    """End the warm Ray that ``begin_for_user`` has started, and nothing else.

    Returns:
        The number of its process; None if there is none.
    """
    name = warm_socket.name_of_users_own()
    with warm_socket.connected(name) as connection:
        if connection is None:
            return None
        process = warm_socket.asked(connection, "stop").get("process")
    begun_s = time.monotonic()
    while _exists(name) and time.monotonic() - begun_s < _END_S:
        time.sleep(0.05)
    return process if isinstance(process, int) else None


def _check(minutes: float) -> None:
    problems = []
    if not isinstance(minutes, int | float) or isinstance(minutes, bool) or not 0 < minutes < float("inf"):
        problems.append(f"minutes: The value is {minutes!r}, but must be a number above 0.")
    if this_machine().gpus:
        problems.append("This machine has GPUs, and a worker must know its share of them before it imports Keras.")
    if problems:
        raise RequestError(*problems)


def _begun(name: str, minutes: float, *, is_own: bool) -> subprocess.Popen[bytes]:
    folders = [*own_packages(), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    variables = {"PYTHONPATH": os.pathsep.join(str(Path(folder).absolute()) for folder in folders)}
    if is_own:
        variables |= token_variables(os.environ)  # the one that Ray remembers in this process
    return subprocess.Popen(  # noqa: S603 - a module of this package
        [sys.executable, "-P", "-m", _HOLDER, name, str(minutes), *(["own"] if is_own else [])],
        stdin=subprocess.PIPE if is_own else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **variables},
        cwd="/",
        start_new_session=not is_own,
    )


def _first_line(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    with process.stdout:
        line = process.stdout.readline()
    try:
        answer: dict[str, Any] = json.loads(line)
    except ValueError:
        return {"refusal": "the process that was to hold it has ended"}
    return answer


def _ended(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _status(name: str) -> dict[str, Any] | None:
    with warm_socket.connected(name) as connection:
        return None if connection is None else warm_socket.asked(connection, "status")


def _exists(name: str) -> bool:
    with warm_socket.connected(name) as connection:
        return connection is not None
