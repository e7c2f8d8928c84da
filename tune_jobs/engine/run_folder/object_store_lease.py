"""One driver a run where there is no lock to hold: an object with a time, which its holder renews.

Object stores promise neither locks nor an order of writes. Two drivers that begin within the same moment may both
believe that they hold the lease; the one whose name is not in it finds out at its next renewal, and ends.
"""

from __future__ import annotations

import json
import platform
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from trainables.storage.object_store import ObjectStoreFolder
from tune_jobs.errors import RequestError
from tune_jobs.results.layout import LEASE_FILE, LEASE_TOKEN_FILE

LASTS_S = 60.0


class LeaseLost(Exception):  # noqa: N818 - what happened, as a person says it
    """Another driver works on the run."""


class Lease:
    """The right to write to a run.

    Args:
        run: The run.
        folder: Its folder here, which this process has locked: whoever held the lease from there is dead.
        now: Tells the time, in seconds since 1970. It must agree with the storage's clock within some seconds.
    """

    def __init__(self, run: ObjectStoreFolder, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._run = run
        self._mine = folder / LEASE_TOKEN_FILE
        self._now = now
        self._token = secrets.token_hex(16)

    def take(self) -> None:
        """Takes it.

        Raises:
            RequestError: Another driver has it, and has renewed it lately.
            OSError: The storage refuses.
        """
        written_s = self._run.written_s(LEASE_FILE)
        if written_s is not None and not self._is_of(self._predecessor()):
            age_s = max(0.0, self._now() - written_s)
            if age_s < LASTS_S:
                raise RequestError(
                    f"Another process, on {self._holder()}, works on the run {self._run}: it said so "
                    f"{age_s:.0f} s ago. Wait until it has ended, or, if it is dead, {LASTS_S - age_s:.0f} s more."
                )
        self._mine.write_text(self._token, encoding="utf-8")
        self._write()

    def renew(self) -> None:
        """Says that it is still held.

        Raises:
            LeaseLost: Somebody else has it.
            OSError: The storage refuses.
        """
        if self._run.written_s(LEASE_FILE) is not None and not self._is_of(self._token):
            raise LeaseLost(f"Another process, on {self._holder()}, has taken over the run {self._run}")
        self._write()

    def release(self) -> None:
        """Gives it back, where it is still held.

        Raises:
            OSError: The storage refuses; then it runs out.
        """
        if self._is_of(self._token):
            self._run.remove(LEASE_FILE)

    def _write(self) -> None:
        self._run.write(LEASE_FILE, json.dumps({"token": self._token, "node": platform.node()}).encode())

    def _predecessor(self) -> str | None:
        return self._mine.read_text(encoding="utf-8") if self._mine.exists() else None

    def _is_of(self, token: str | None) -> bool:
        return token is not None and self._told().get("token") == token

    def _holder(self) -> str:
        return str(self._told().get("node", "some machine"))[:100]

    def _told(self) -> dict[str, object]:
        try:
            told = json.loads(self._run.read(LEASE_FILE))
        except (FileNotFoundError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}
