"""A Ray cluster of several nodes on this machine. It leaves nothing behind."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

BIN = Path(sys.executable).parent
HEAD_HOST = "127.0.0.1"
_START_S = 90
_STOP_S = 40  # a node gives its workers 30 seconds
_STARTED = "Ray runtime started"


class LocalCluster:
    """A head without CPUs and workers of one CPU each, started by ``ray start`` as on machines of one's own.

    Every node is a child in a session of its own: Ctrl-C reaches it through ``__exit__`` alone. It is ended by its
    process id.

    Args:
        workers: The number of workers.

    Attributes:
        folder: The folder of everything that it writes. Its path is short, because sockets lie in it.
        address: The address of its Jobs server.
        environment: The environment of a process that uses it: the token, and this Python first on the path.
    """

    def __init__(self, workers: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tj-"))
        port, dashboard, client = _free_ports(3)
        self.address = f"http://{HEAD_HOST}:{dashboard}"
        token = self.folder / "token"
        token.touch(mode=0o600)
        token.write_text(secrets.token_hex(32))
        self.environment = os.environ | {
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        head = ["--head", "--num-cpus=0", f"--port={port}", f"--node-ip-address={HEAD_HOST}"]
        head += [f"--dashboard-host={HEAD_HOST}", f"--dashboard-port={dashboard}", f"--temp-dir={self.folder / 'ray'}"]
        self._commands = {"head": [*head, f"--ray-client-server-port={client}"]}
        for number in range(1, workers + 1):
            # Linux answers to all of 127.0.0.0/8: each worker has an address of its own, as on a machine of its own.
            address = f"--node-ip-address=127.0.0.{number + 1}"
            # It also has a folder of its own: nodes that share one delete the files of jobs that others still use.
            folder = f"--temp-dir={self.folder / f'w{number}'}"
            self._commands[f"worker {number}"] = [f"--address={HEAD_HOST}:{port}", address, "--num-cpus=1", folder]
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            for name, options in self._commands.items():
                self._start(name, options)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def _start(self, name: str, options: list[str]) -> None:
        log = self.folder / f"{name.replace(' ', '-')}.log"
        any_ports = ["--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"]
        with log.open("wb") as stream:
            node = subprocess.Popen(  # noqa: S603 - Ray's own command
                [BIN / "ray", "start", "--block", *options, *any_ports],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._nodes[name] = node
        deadline_s = time.monotonic() + _START_S
        while _STARTED not in log.read_text(errors="replace"):
            if node.poll() is not None or time.monotonic() > deadline_s:
                lines = log.read_text(errors="replace").split("\n")
                reason = next(filter(None, reversed(lines)), "it printed nothing")
                raise SystemExit(f"The {name} did not start: {reason}")
            time.sleep(0.2)

    def _stop(self) -> None:
        """End the nodes, the head last, and all processes that outlive them, and delete the folder."""
        before = {name: signal.signal(name, signal.SIG_IGN) for name in (signal.SIGINT, signal.SIGTERM)}
        try:
            started = set().union(*map(_family, self._nodes.values()))
            for node in reversed(self._nodes.values()):
                node.terminate()
            _, left = psutil.wait_procs(started, timeout=_STOP_S)
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            for node in self._nodes.values():
                node.wait()
            shutil.rmtree(self.folder, ignore_errors=True)
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)


def _family(node: subprocess.Popen[bytes]) -> set[psutil.Process]:
    """Return a node's processes: its descendants, and those of its session whose parent has died."""
    family = set()
    with suppress(psutil.NoSuchProcess):
        family |= {psutil.Process(node.pid), *psutil.Process(node.pid).children(recursive=True)}
    for process in psutil.process_iter():
        with suppress(OSError):
            if os.getsid(process.pid) == node.pid:
                family.add(process)
    return family


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for free in sockets:
            free.bind((HEAD_HOST, 0))
        return [free.getsockname()[1] for free in sockets]
    finally:
        for free in sockets:
            free.close()
