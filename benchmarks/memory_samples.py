"""Samples of the memory that the processes of a program have for themselves."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MIB = 2**20
EVERY_S = 0.02
_CHILDREN_EVERY_S = 0.5
_PAGE_BYTES = 4096


@dataclass
class Peak:
    """The largest amounts of a program's processes.

    Attributes:
        roles: By process id: ``driver`` for the program itself, ``worker`` for what Ray gives trials to, else the name.
        own_bytes: By process id: the largest amount at any time.
        together_bytes: The largest sum over all processes at one time.
    """

    roles: dict[int, str] = field(default_factory=dict)
    own_bytes: dict[int, int] = field(default_factory=dict)
    together_bytes: int = 0

    def of(self, role: str) -> list[int]:
        """Return the peaks of the processes of a role, the largest first."""
        return sorted((self.own_bytes[pid] for pid, name in self.roles.items() if name == role), reverse=True)


def own_bytes(pid: int) -> int:
    """Return the memory that a process has for itself; 0 where it is gone.

    That is its anonymous memory: resident pages that neither a file nor shared memory is behind. Pages of Ray's object
    store, of mapped files and of libraries are not counted, however many processes map them.
    """
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * _PAGE_BYTES


@contextmanager
def sampled(pid: int) -> Iterator[Peak]:
    """Sample a process and all of its descendants every 20 ms within the context."""
    peak, stop = Peak(), threading.Event()
    thread = threading.Thread(target=_sample, args=(pid, peak, stop), daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _sample(pid: int, peak: Peak, stop: threading.Event) -> None:
    looked_s, pids = 0.0, [pid]
    while not stop.wait(EVERY_S):
        if time.monotonic() - looked_s > _CHILDREN_EVERY_S:
            looked_s, pids = time.monotonic(), _family(pid, peak.roles)
        amounts = {each: own_bytes(each) for each in pids}
        peak.together_bytes = max(peak.together_bytes, sum(amounts.values()))
        for each, amount in amounts.items():
            peak.own_bytes[each] = max(peak.own_bytes.get(each, 0), amount)


def _family(pid: int, roles: dict[int, str]) -> list[int]:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return []
    for each in family:
        if roles.get(each.pid) not in ("driver", "worker"):
            roles[each.pid] = "driver" if each.pid == pid else _role(each)
    return [each.pid for each in family]


def _role(process: psutil.Process) -> str:
    try:
        title = (process.cmdline() or [process.name()])[0]
    except psutil.Error:
        return "gone"
    if not title.startswith("ray::"):
        return Path(title).name
    return "idle" if title.startswith("ray::IDLE") else "worker"
