"""A Ray cluster of several nodes on this machine, which leaves nothing behind but its folder."""

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
    """A head without CPUs, and workers of one CPU each, as `ray start` starts them on machines of one's own.

    Every node is a child in a session of its own, so that Ctrl-C reaches it through ``__exit__`` alone, and is ended by
    its process id.

    Attributes:
        folder: Everything that it writes; short, because sockets lie in it.
        address: Its Jobs server.
        environment: What a process needs to use it: the token, and this Python first on the path.
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
            own = f"--node-ip-address=127.0.0.{number + 1}"
            # And a folder of its own: nodes that share one remove what jobs have sent from below each other's feet.
            place = f"--temp-dir={self.folder / f'w{number}'}"
            self._commands[f"worker {number}"] = [f"--address={HEAD_HOST}:{port}", own, "--num-cpus=1", place]
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
        anywhere = ["--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"]
        with log.open("wb") as stream:
            node = subprocess.Popen(  # noqa: S603 - Ray's own command
                [BIN / "ray", "start", "--block", *options, *anywhere],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._nodes[name] = node
        deadline = time.monotonic() + _START_S
        while _STARTED not in log.read_text(errors="replace"):
            if node.poll() is not None or time.monotonic() > deadline:
                told = log.read_text(errors="replace").split("\n")
                raise SystemExit(f"The {name} did not start: {next(filter(None, reversed(told)), 'it said nothing')}")
            time.sleep(0.2)

    def _stop(self) -> None:
        """Ends the nodes, the head last, and whatever of theirs outlives them; deletes the folder."""
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
    """A node's processes: its descendants, and those of its session whose parent has died."""
    found = set()
    with suppress(psutil.NoSuchProcess):
        found |= {psutil.Process(node.pid), *psutil.Process(node.pid).children(recursive=True)}
    for process in psutil.process_iter():
        with suppress(OSError):
            if os.getsid(process.pid) == node.pid:
                found.add(process)
    return found


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HEAD_HOST, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
