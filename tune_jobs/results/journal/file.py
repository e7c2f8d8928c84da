"""The journal of a run: a file of events that is only ever appended to, and may be cut off anywhere."""

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from trainables.storage.retry import retry_for_a_minute
from tune_jobs.base.gc_pause import gc_paused
from tune_jobs.results.journal.events import Event, RunEnded, TrialEnded
from tune_jobs.results.journal.lines import EventError, decode, encode

MAX_LINE_BYTES = 2**20
_BLOCK_BYTES = 64 * 2**10


class JournalError(ValueError):
    """A journal that cannot be read or written; the message names the file, the line and the remedy."""


def read_journal(path: Path) -> list[Event]:
    """All events of a journal, in the order in which they were written.

    A last line without a newline was torn by a crash, or is being written at this moment: it is left out.
    So are events whose name only a newer version knows.

    Args:
        path: The journal's file. Nothing that it says is executed, and no other file is opened.

    Raises:
        JournalError: The file cannot be opened, or one of its lines tells no event.
    """
    try:
        with path.open("rb") as file, gc_paused():
            return list(_events(file, path))
    except OSError as error:
        raise JournalError(f"{path} cannot be read ({error.strerror}). Name the folder of a run.") from error


def _events(file: BinaryIO, path: Path) -> Iterator[Event]:
    lines = iter(partial(file.readline, MAX_LINE_BYTES + 1), b"")
    for number, line in enumerate(lines, start=1):
        try:
            if len(line) > MAX_LINE_BYTES:
                raise EventError(f"it is longer than {MAX_LINE_BYTES} bytes")
            if line.endswith(b"\n") and (event := decode(line)) is not None:
                yield event
        except EventError as error:
            raise JournalError(
                f"{path}, line {number} tells no event: {error}. "
                "Repair or remove this line, or restore the file from a copy."
            ) from error


class JournalWriter:
    """Appends events to a journal, each as one line that reaches the operating system at once.

    A last line that a crash has torn is cut off first: what is appended to it would be lost with it.
    One journal has one writer; any number of readers may follow it.

    Args:
        path: The journal's file, in a folder that exists; the file is created if it is missing.
        sleep: Waits before a refused line is tried again.

    Attributes:
        path: The journal's file.
        torn_bytes: How much of a torn last line was cut off.
    """

    def __init__(self, path: Path, sleep: Callable[[float], object] = time.sleep) -> None:
        self.path = path
        self._sleep = sleep
        self._refused = False
        self._file = path.open("ab+", buffering=0)
        self._whole_bytes = _whole_bytes(self._file)
        self.torn_bytes = self._file.seek(0, os.SEEK_END) - self._whole_bytes
        self._file.truncate(self._whole_bytes)

    def write(self, event: Event) -> None:
        """Append an event; the end of a trial and of a run also reach the disk before this returns.

        A full disk, or a storage that has gone away, is given a minute, and no other before it takes a line again: the
        run waits, because it acts on nothing that is not in its journal.

        Raises:
            JournalError: The event cannot be told in a line; nothing was written.
            OSError: The disk is still full, for example; the journal is as if nothing had been written.
        """
        try:
            line = encode(event)
            if len(line) > MAX_LINE_BYTES:
                raise EventError(f"its line would be longer than {MAX_LINE_BYTES} bytes")
        except EventError as error:
            raise JournalError(
                f"{self.path}: {event.EVENT} event refused: {error}. Report plain, finite values."
            ) from error
        self._persist(lambda: self._append(line, durably=isinstance(event, TrialEnded | RunEnded)))

    def _persist(self, attempt: Callable[[], None]) -> None:
        try:
            attempt() if self._refused else retry_for_a_minute(attempt, self._sleep)
        except OSError:
            self._refused = True
            raise
        self._refused = False

    def _append(self, line: bytes, *, durably: bool) -> None:
        # What an attempt that failed has left behind would tear this line too.
        if self._file.seek(0, os.SEEK_END) != self._whole_bytes:
            self._file.truncate(self._whole_bytes)
        rest = memoryview(line)
        while rest:
            rest = rest[self._file.write(rest) :]
        if durably:
            os.fsync(self._file.fileno())
        self._whole_bytes += len(line)

    def close(self) -> None:
        """Close the file; the journal can be opened again and continued."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _whole_bytes(file: FileIO) -> int:
    """How many bytes of a file its whole lines take: up to its last newline."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
