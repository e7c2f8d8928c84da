"""The questions of a run about a Ray that is kept warm: whether the run may use it, and where it is."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tune_jobs.engine.on_ray.internals.startup import can_reread_variables
from tune_jobs.engine.on_ray.warm.imports import imports_signature
from tune_jobs.errors import RunFailed
from tune_jobs.host.capacity import Machine
from tune_jobs.host.warm_socket import OFF, VARIABLE, asked, connected, name_of_users_own

IN_PROCESS: list[Callable[[], str | None]] = []
"""Functions that wait for a warm Ray of this process, and return the name of its socket; None if it cannot be used."""


class Lease:
    """The right of a run to use a warm Ray, until its connection is closed.

    Args:
        connection: The connection to the process that holds the Ray.
        address: The address of Ray.
        token: The token with which this process may connect to it; empty if this process knows it already.

    Attributes:
        address: As given.
        token: As given.
    """

    def __init__(self, connection: socket.socket, address: str, token: Sequence[str]) -> None:
        self._connection = connection
        self.address = address
        self.token = token

    def prepare(self, environment: Mapping[str, str], folder: Path) -> None:
        """Give the workers that begin from now on the variables and the folder of this run.

        Raises:
            RunFailed: The process that holds the Ray has ended.
        """
        answer = asked(self._connection, "prepare", environment=dict(environment), folder=str(folder))
        if answer.get("refusal"):
            raise RunFailed(f"The warm Ray cannot be used: {answer['refusal']}.", None)


def names() -> list[str]:
    """Return the names of the sockets on which a warm Ray may answer this process: its own first."""
    own = [name for wait in IN_PROCESS if (name := wait()) is not None]
    return [*own, *([] if os.environ.get(VARIABLE) == OFF else [name_of_users_own()])]


def is_kept() -> bool:
    """Return whether a warm Ray answers this process."""
    for name in names():
        with connected(name) as connection:
            if connection is not None:
                return True
    return False


def why_unsuited(machine: Machine, *, imports_keras: bool) -> str | None:
    """Return why a run cannot use any warm Ray; None if it can.

    Args:
        machine: The machine, or the cluster, that the run uses.
        imports_keras: Whether the run's workers import Keras before they have a trial.
    """
    if machine.is_cluster:
        return "this run uses a cluster"
    if machine.gpus:
        return "this machine has GPUs, and a worker must know its share of them before it imports Keras"
    if not imports_keras:
        return "the trainable has a `step` of its own, and need not train with Keras"
    return None if can_reread_variables() else "the installed Ray cannot read its variables again"


@contextmanager
def leased(machine: Machine, tokens: Sequence[str], tell: Callable[[str], object]) -> Iterator[Lease | None]:
    """Lease a warm Ray for one run, if there is one that suits it.

    Args:
        machine: This machine.
        tokens: The token that Ray remembers in this process; empty if this process has used no Ray yet.
        tell: Is given a sentence if there is a warm Ray.

    Yields:
        The lease; None if the run starts a Ray of its own.
    """
    for name in names():
        with connected(name) as connection:
            if connection is None:
                continue
            answer = asked(
                connection, "use", signature=imports_signature(os.environ), machine=[machine.cpus, machine.gpus]
            )
            refusal = answer.get("refusal")
            if not refusal and tokens and answer["token"] and answer["token"] != list(tokens):
                refusal = "this process has used a Ray with another token before"
            if refusal:
                tell(f"The warm Ray is not used, because {refusal}: this run starts its own.")
                continue
            tell(f"This run uses the Ray that is kept warm by the process {answer['process']}.")
            yield Lease(connection, answer["address"], answer["token"])
            return
    yield None
