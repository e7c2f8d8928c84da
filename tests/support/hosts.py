"""Hosts on this machine, each with its own name, address and private folder. They share all other folders."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path


class Host:
    """A network namespace with an address, and processes in it that see a private folder."""

    def __init__(self, name: str, address: str, space: str, private: Path) -> None:
        self.name = name
        self.address = address
        self._space = space
        self._private = private
        # Holds the host's name and its mounts for as long as its standard input is open.
        self._holder = subprocess.Popen(
            [_path("unshare"), "--mount", "--uts", "--propagation", "private", "sh", "-c", self._begin()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"

    def command(self, *command: str) -> list[str]:
        """Return a command in the form that runs it on this host."""
        inside = ["nsenter", f"--target={self._holder.pid}", "--mount", "--uts", f"--net=/run/netns/{self._space}"]
        return [*inside, f"--wdns={self._private}", *command]

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command on this host, in its private folder."""
        return subprocess.Popen(
            self.command(*command),
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, timeout_s: float = 300, **environment: str) -> tuple[int, str]:
        """Run a command, and return its exit status and what it printed."""
        process = self.start(*command, **environment)
        try:
            output, _ = process.communicate(timeout=timeout_s)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return process.returncode, output

    def end(self) -> None:
        """Give up the name and the mounts."""
        self._holder.communicate()

    def _begin(self) -> str:
        return f"hostname {self.name} && mount -t tmpfs tmpfs {self._private} && echo ready && cat"


def reason_against() -> str | None:
    """Return the reason why this machine cannot have such hosts; None: it can."""
    missing = [tool for tool in ("ip", "unshare", "nsenter") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if _call("unshare", "--mount", "--uts", "--net", "true"):
        return "this machine allows no namespaces"
    return None


@contextmanager
def hosts(*names: str) -> Iterator[tuple[Sequence[Host], Path]]:
    """Yield hosts on one network, and their private folder: one path, with other files behind it on each."""
    tag = f"t{os.getpid() % 100_000}"
    net = f"10.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}"
    private = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    with ExitStack() as undone:
        undone.callback(shutil.rmtree, private, ignore_errors=True)
        _do("ip", "link", "add", tag, "type", "bridge")
        undone.callback(_call, "ip", "link", "del", tag)
        _do("ip", "link", "set", tag, "up")
        made = []
        for number, name in enumerate(names, 1):
            space, address = f"{tag}n{number}", f"{net}.{number}"
            _do("ip", "netns", "add", space)
            undone.callback(_call, "ip", "netns", "del", space)
            _do("ip", "link", "add", f"{tag}v{number}", "type", "veth", "peer", "name", "eth0", "netns", space)
            _do("ip", "link", "set", f"{tag}v{number}", "master", tag, "up")
            for command in (f"addr add {address}/24 dev eth0", "link set eth0 up", "link set lo up"):
                _do("ip", "-n", space, *command.split())
            made.append(Host(name, address, space, private))
            undone.callback(made[-1].end)
        yield made, private


def _path(tool: str) -> str:
    found = shutil.which(tool)
    assert found is not None
    return found


def _do(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _call(*command: str) -> int:
    return subprocess.run(command, check=False, capture_output=True).returncode
