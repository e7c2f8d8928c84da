"""The file of a journal: events are only ever appended to it, and a crash may cut it off anywhere."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from trainables.storage.own_files import open_own
from trainables.storage.retry import retry_for_a_minute
from tune_jobs.results.journal.events import Event, RunEnded, TrialEnded
from tune_jobs.results.journal.lines import EventError, encode
from tune_jobs.results.journal.reading import MAX_LINE_BYTES, MOST_BYTES, JournalError
from tune_jobs.results.journal.seal import ChangedLineError, seal, sealed_number

_BLOCK_BYTES = 64 * 2**10


def whole_lines(content: bytes) -> bytes:
    """Return the content of a journal without a torn last line."""
    return content[: content.rfind(b"\n") + 1]


def _open_unbuffered(path: Path) -> FileIO:
    return os.fdopen(open_own(path, os.O_RDWR | os.O_APPEND), "ab+", buffering=0)


class JournalWriter:
    """The writer of a journal. It appends each event as one line that reaches the operating system at once.

    First it cuts off a last line that a crash has torn: whatever was appended to it would be lost with it. A journal
    has one writer; any number of readers may follow it.

    Args:
        path: The journal, in a folder that exists. The file is created if it is missing.
        sleep: Waits, in seconds, before a refused line is tried again.
        open_file: Opens the file for reading and for appending, without a buffer.

    Attributes:
        path: The journal.
        torn_bytes: The length of the torn last line that was cut off.
    """

    def __init__(
        self,
        path: Path,
        sleep: Callable[[float], object] = time.sleep,
        open_file: Callable[[Path], FileIO] = _open_unbuffered,
    ) -> None:
        self.path = path
        self._sleep = sleep
        self._has_refused = False
        self._file = open_file(path)
        self._whole_bytes = _whole_bytes(self._file)
        self.torn_bytes = self._file.seek(0, os.SEEK_END) - self._whole_bytes
        self._file.truncate(self._whole_bytes)
        self._lines = _last_number(self._file, self._whole_bytes)

    def write(self, event: Event) -> None:
        """Append an event. The ends of a trial and of the run also reach the disk before this returns.

        A full disk, or a storage that is away, is given one minute, and no second one until it has taken a line again.
        The run waits meanwhile, because it acts on nothing that is not in its journal.

        Args:
            event: The event.

        Raises:
            JournalError: The event cannot be written as a line; nothing was written.
            OSError: The disk is still full, for example. The journal is as if nothing had been written.
        """
        try:
            line = encode(event)
            if len(line) > MAX_LINE_BYTES:
                raise EventError(f"its line would be longer than {MAX_LINE_BYTES} bytes")
        except EventError as error:
            raise JournalError(
                f"{self.path}: {event.EVENT} event refused: {error}. Report plain, finite values."
            ) from error
        sealed = seal(line, self._lines + 1)
        self._persist(lambda: self._append(sealed, durably=isinstance(event, TrialEnded | RunEnded)))
        self._lines += 1

    def _persist(self, attempt: Callable[[], None]) -> None:
        try:
            attempt() if self._has_refused else retry_for_a_minute(attempt, self._sleep)
        except OSError:
            self._has_refused = True
            raise
        self._has_refused = False

    def _append(self, line: bytes, *, durably: bool) -> None:
        # A failed attempt may have left a part of its line, which would tear this line, too.
        if self._file.seek(0, os.SEEK_END) != self._whole_bytes:
            self._file.truncate(self._whole_bytes)
        rest = memoryview(line)
        while rest:
            rest = rest[self._file.write(rest) :]
        if durably:
            os.fsync(self._file.fileno())
        self._whole_bytes += len(line)

    def close(self) -> None:
        """Close the file. The journal can be opened again and continued."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _whole_bytes(file: FileIO) -> int:
    """Return the number of bytes up to the last newline: those of the whole lines."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _last_number(file: FileIO, whole_bytes: int) -> int:
    """Return the number of the last whole line: that in its seal, or else the number of lines."""
    start = max(0, whole_bytes - MOST_BYTES - 1)
    file.seek(start)
    tail = file.read(whole_bytes - start)
    try:
        number = sealed_number(tail[tail.rfind(b"\n", 0, -1) + 1 :])
    except ChangedLineError:
        number = None  # readers say it
    if number is not None:
        return number
    file.seek(0)
    return sum(block.count(b"\n") for block in iter(partial(file.read, _BLOCK_BYTES), b""))
