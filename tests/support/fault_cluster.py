"""A Ray cluster on this machine whose nodes can be killed: a head without CPUs, and workers."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil

START_S = 240.0
ENVIRONMENT = {"RAY_AUTH_MODE": "disabled", "TF_CPP_MIN_LOG_LEVEL": "2"}


@dataclass(frozen=True)
class NodeProcess:
    """The process that holds a node's processes, and the file of its output."""

    process: subprocess.Popen[bytes]
    log: Path


class FaultCluster:
    """A cluster of nodes with one CPU each.

    Args:
        folder: The folder that Ray writes into. Its path is short.
        nodes: The number of workers.

    Attributes:
        address: The address of the head.
        nodes: The workers.
    """

    def __init__(self, folder: Path, nodes: int) -> None:
        self._folder = folder
        self._started = 0
        port = _free_port()
        self.address = f"127.0.0.1:{port}"
        head = [f"--port={port}", f"--ray-client-server-port={_free_port()}", f"--temp-dir={folder}", "--num-cpus=0"]
        self._head = self._start("--head", "--include-dashboard=false", *head)
        self.nodes: list[NodeProcess] = []
        deadline_s = time.monotonic() + START_S
        try:
            self._wait_until_up(deadline_s)
            for _ in range(nodes):
                self.add_node()
                self._wait_until_up(deadline_s)
        except BaseException:
            self.end()
            raise

    def add_node(self) -> None:
        """Start a new worker, which joins soon."""
        self.nodes.append(self._start(f"--address={self.address}", "--num-cpus=1"))

    def tend(self) -> None:
        """Start another worker for each that gave up while it started, as it does on a machine that is very busy."""
        for node in [node for node in self.nodes if node.process.poll() is not None]:
            self.nodes.remove(node)
            self.add_node()

    def kill_node(self, node: NodeProcess) -> list[psutil.Process]:
        """Kill all processes of a worker at once, as if its machine had lost its power, and return them."""
        self.nodes.remove(node)
        return _kill_family(node.process)

    def processes(self) -> list[psutil.Process]:
        """Return all processes of its workers."""
        return [process for node in self.nodes for process in descendants(node.process.pid)]

    def end(self) -> None:
        """End all nodes."""
        for node in [*self.nodes, self._head]:
            _kill_family(node.process)

    def _start(self, *options: str) -> NodeProcess:
        self._started += 1
        ports = ["--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"]
        ray = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--disable-usage-stats"]
        log = self._folder / f"node-{self._started}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*ray, *options, *ports, "--object-store-memory=100000000", "--node-ip-address=127.0.0.1"],
                env={**os.environ, **ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        return NodeProcess(process, log)

    def _wait_until_up(self, deadline_s: float) -> None:
        """Wait until all nodes have started."""
        while not all("Ray runtime started" in node.log.read_text() for node in [self._head, *self.nodes]):
            if self._head.process.poll() is not None or time.monotonic() > deadline_s:
                raise AssertionError(f"The cluster does not start: {self._head.log.read_text()[-2000:]}")
            self.tend()
            time.sleep(0.2)


def descendants(pid: int) -> list[psutil.Process]:
    """Return all processes that a process has started, and that these have started in turn."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _kill_family(parent: subprocess.Popen[bytes]) -> list[psutil.Process]:
    family = descendants(parent.pid)
    parent.kill()
    for process in family:
        process.kill()
    parent.wait()
    psutil.wait_procs(family, timeout=10)
    return family


def _free_port() -> int:
    """A port below those that the system gives to whoever asks for any: another process may ask before it is used."""
    return next(port for port in iter(lambda: random.randrange(20_000, 30_000), 0) if not _answers(port))  # noqa: S311


def _answers(port: int) -> bool:
    with closing(socket.socket()) as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0
