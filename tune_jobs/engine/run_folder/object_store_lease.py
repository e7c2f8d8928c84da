"""The lease on a run in an object store: an object with a time, which its holder renews.

It is the lock of runs in object stores, which promise neither locks nor an order of writes. Two drivers that begin
within the same moment may both believe that they hold the lease. The one whose token is not in it finds out at its next
renewal, and ends.
"""

from __future__ import annotations

import json
import platform
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from trainables.storage.object_store import ObjectStoreFolder
from trainables.storage.own_files import write_own
from tune_jobs.errors import RequestError
from tune_jobs.results.layout import LEASE_FILE, LEASE_TOKEN_FILE

LASTS_S = 60.0


class LeaseLost(Exception):  # noqa: N818 - an event, not an error of this process
    """Another driver has taken over the run."""


class Lease:
    """The right to write to a run in an object store.

    Args:
        run: The run.
        folder: The run's folder on this machine, locked by this process. A process that held the lease from this
            folder before is therefore dead.
        now: Returns the time, in seconds since 1970; None: the storage's own time. A clock of this machine that was set
            forward would take a lease that is held for one that has run out.
    """

    def __init__(self, run: ObjectStoreFolder, folder: Path, now: Callable[[], float] | None = None) -> None:
        self._run = run
        self._token_file = folder / LEASE_TOKEN_FILE
        self._now = now or self._storage_time
        self._token = secrets.token_hex(16)

    def take(self) -> None:
        """Take the lease.

        Raises:
            RequestError: Another driver holds it, and has renewed it lately.
            OSError: The storage refuses.
        """
        written_s = self._run.written_s(LEASE_FILE)
        if written_s is not None and not self._has_token(self._predecessors_token()):
            age_s = max(0.0, self._now() - written_s)
            if age_s < LASTS_S:
                raise RequestError(
                    f"Another process, on {self._holder()}, works on the run {self._run}: it said so "
                    f"{age_s:.0f} s ago. Wait until it has ended, or, if it is dead, {LASTS_S - age_s:.0f} s more."
                )
        write_own(self._token_file, self._token.encode())
        self._write()

    def renew(self) -> None:
        """Write the lease again, so that it lasts longer.

        Raises:
            LeaseLost: Another driver holds it.
            OSError: The storage refuses.
        """
        if self._run.written_s(LEASE_FILE) is not None and not self._has_token(self._token):
            raise LeaseLost(f"Another process, on {self._holder()}, has taken over the run {self._run}")
        self._write()

    def release(self) -> None:
        """Delete the lease, if it is still held.

        Raises:
            OSError: The storage refuses; then the lease runs out.
        """
        if self._has_token(self._token):
            self._run.remove(LEASE_FILE)

    def _write(self) -> None:
        self._run.write(LEASE_FILE, json.dumps({"token": self._token, "node": platform.node()}).encode())

    def _storage_time(self) -> float:
        probe = f".probe-{secrets.token_hex(8)}"
        self._run.write(probe, b"")
        try:
            return self._run.written_s(probe) or time.time()
        finally:
            self._run.remove(probe)

    def _predecessors_token(self) -> str | None:
        return self._token_file.read_text(encoding="utf-8") if self._token_file.exists() else None

    def _has_token(self, token: str | None) -> bool:
        return token is not None and self._content().get("token") == token

    def _holder(self) -> str:
        return str(self._content().get("node", "some machine"))[:100]

    def _content(self) -> dict[str, object]:
        try:
            content = json.loads(self._run.read(LEASE_FILE))
        except (FileNotFoundError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}
