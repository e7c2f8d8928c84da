"""A driver without Ray and without a network: it does all that a driver does before Ray is needed, and ends then."""

from __future__ import annotations

import socket
import socketserver
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def leave_ray_out() -> None:
    """Let runs in this process load their data and replay their journals, and end before the first trial."""
    import ray

    from trainables.before_ray.sent_class import pack
    from tune_jobs.engine import driver

    @contextmanager
    def no_session(*_: Any) -> Iterator[Callable[[], Path]]:
        yield lambda: Path()

    class NoLoop:
        """Proposes one trial, and ends the run."""

        def __init__(self, coordinator: Any, *_: Any) -> None:
            self._coordinator = coordinator

        def run(self) -> None:
            """End the run."""
            self._coordinator.propose()
            self._coordinator.interrupt()

    def no_workers(experiment: Any, data: Any, trials: str, *, is_cluster: bool) -> None:
        pack(experiment.trainable)

    def no_cluster(*arguments: Any, **options: Any) -> None:
        raise ConnectionError("no cluster is asked here")

    driver.ray_session = no_session
    driver.workers_for = no_workers
    driver.Loop = NoLoop
    ray.init = no_cluster


def leave_network_out() -> None:
    """Let no connection leave this process: names are unknown, and every address refuses."""

    def unknown(*arguments: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    class Refused(socket.socket):
        def connect(self, address: Any) -> None:
            raise ConnectionRefusedError(111, "Connection refused")

        def connect_ex(self, address: Any) -> int:
            return 111

    def no_storage(root: str) -> Any:
        if not root.startswith("file:"):
            raise OSError("no storage is asked here")
        return opened(root)

    from trainables.storage import object_store

    def no_service(server: Any, poll_interval: float = 0.5) -> None:
        raise KeyboardInterrupt  # as if somebody had looked at the page for long enough

    opened = object_store._opened  # noqa: SLF001 - what it calls is C++, where nothing can be replaced
    object_store._opened = no_storage  # noqa: SLF001
    socketserver.BaseServer.serve_forever = no_service  # type: ignore[method-assign]
    socket.getaddrinfo = unknown
    socket.gethostbyname = unknown
    socket.socket = Refused  # type: ignore[misc]
