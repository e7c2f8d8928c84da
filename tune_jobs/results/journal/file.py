"""The file of a journal: events are only ever appended to it, and a crash may cut it off anywhere."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from trainables.storage.file_format import NewerFormatError
from trainables.storage.own_files import open_own
from trainables.storage.retry import retry_for_a_minute
from tune_jobs.base.gc_pause import gc_paused
from tune_jobs.base.named_files import plain_file
from tune_jobs.results.journal.events import Damaged, EpochReported, Event, RunEnded, TrialEnded
from tune_jobs.results.journal.lines import EventError, decode, encode
from tune_jobs.results.journal.seal import MAX_SEAL_BYTES, ChangedLineError, seal, seal_bytes, sealed_number

MAX_LINE_BYTES = 2**20
"""Longest line of an event, without its seal."""
_MOST_BYTES = MAX_LINE_BYTES + MAX_SEAL_BYTES
_BLOCK_BYTES = 64 * 2**10


class JournalError(ValueError):
    """A journal that cannot be read or written. The message names the file, the line and the remedy."""


def read_journal(path: Path) -> list[Event]:
    """Return all events of a journal, in the order in which they were written.

    A last line without a newline was torn by a crash, or is being written at this moment: it is left out. So are
    events whose name only a newer version knows, and epochs and ends of trials whose line was changed after it was
    written. Where lines are missing or were changed, there is a ``Damaged`` event.

    Args:
        path: The journal. Nothing in it is executed, and no other file is opened.

    Raises:
        JournalError: The file cannot be opened, or one of its lines is no event.
    """
    try:
        with open(path, "rb", opener=plain_file) as file, gc_paused():
            return list(_read_events(file, path))
    except OSError as error:
        raise JournalError(f"{path} cannot be read ({error.strerror}). Name the folder of a run.") from error


def _read_events(file: BinaryIO, path: Path) -> Iterator[Event]:
    lines = iter(partial(file.readline, _MOST_BYTES + 1), b"")
    expected = 1
    for number, line in enumerate(lines, start=1):
        try:
            if len(line) > MAX_LINE_BYTES and len(line) - seal_bytes(line) > MAX_LINE_BYTES:
                raise EventError(f"it is longer than {MAX_LINE_BYTES} bytes")
            if not line.endswith(b"\n"):
                continue
            event = decode(line)
        except NewerFormatError as error:
            raise JournalError(f"{path}, line {number} cannot be read. {error}") from error
        except EventError as error:
            raise JournalError(
                f"{path}, line {number} is no event: {error}. "
                "Repair or remove this line, or restore the file from a copy."
            ) from error
        time_s = 0.0 if event is None else event.time_s
        try:
            sealed = sealed_number(line) or expected
            if sealed != expected:
                yield Damaged(time_s=time_s, text=_misnumbered(number, sealed - expected))
            expected = sealed + 1
        except ChangedLineError:
            expected += 1
            # What an epoch measured and how a trial ended can be found out again. The rest is only said.
            counts = not isinstance(event, EpochReported | TrialEnded)
            yield Damaged(time_s=time_s, text=_changed(number, counts=counts))
            event = event if counts else None
        if event is not None:
            yield event


def _changed(number: int, *, counts: bool) -> str:
    what = "see whether it is right" if counts else "it does not count"
    return f"Line {number} of the journal was changed after it was written: {what}."


def _misnumbered(number: int, missing: int) -> str:
    if missing > 0:
        lines = "a line is" if missing == 1 else f"{missing} lines are"
        return f"The journal was cut or edited: {lines} missing before line {number}."
    return f"The journal was edited: line {number} is a copy, or is not in its place."


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
    start = max(0, whole_bytes - _MOST_BYTES - 1)
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
