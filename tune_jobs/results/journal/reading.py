"""Reading of a journal: whole, or on from where it was read before, while others write it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from trainables.storage.file_format import NewerFormatError
from tune_jobs.base.gc_pause import gc_paused
from tune_jobs.base.named_files import plain_file
from tune_jobs.results.journal.events import Damaged, EpochReported, Event, ParametersMet, TrialEnded
from tune_jobs.results.journal.lines import EventError, PassedOverError, decode
from tune_jobs.results.journal.seal import MAX_SEAL_BYTES, ChangedLineError, seal_bytes, sealed_number

MAX_LINE_BYTES = 2**20
"""Longest line of an event, without its seal."""
MOST_BYTES = MAX_LINE_BYTES + MAX_SEAL_BYTES
_MET = f'{{"event": "{ParametersMet.EVENT}"'.encode()


class JournalError(ValueError):
    """A journal that cannot be read or written. The message names the file, the line and the remedy."""


def read_journal(path: Path) -> list[Event]:
    """Return all events of a journal, in the order in which they were written.

    A last line without a newline was torn by a crash, or is being written at this moment: it is left out. So are
    events whose name only a newer version knows, and epochs and ends of trials whose line was changed after it was
    written, and parameters that trials met, if they cannot be read. Where lines are missing, were changed or are left
    out, there is a ``Damaged`` event.

    Args:
        path: The journal. Nothing in it is executed, and no other file is opened.

    Raises:
        JournalError: The file cannot be opened, or one of its lines is no event.
    """
    return JournalFollower(path).new_events()


def read_met(path: Path) -> dict[str, Any]:
    """Return the parameters that trials have met, by name: see ``ParametersMet``. No other line of a journal is parsed.

    Args:
        path: The journal; one that cannot be read has none.
    """
    met: dict[str, Any] = {}
    with suppress(OSError), open(path, "rb", opener=plain_file) as file:
        for line in file:
            if line.startswith(_MET) and line.endswith(b"\n"):
                with suppress(EventError):
                    event = decode(line)
                    met |= event.parameters if isinstance(event, ParametersMet) else {}
    return met


class JournalFollower:
    """A reader that follows a journal while others write it: each time it reads what is new.

    Args:
        path: The journal.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._file_id: tuple[int, int] | None = None
        self._offset = 0
        self._lines = 0
        self._expected = 1

    def is_replaced(self) -> bool:
        """Return whether the journal is another file than the one that was read so far, as after a run was replaced.

        If it is, ``new_events`` reads the other one from its beginning.
        """
        try:
            status = self._path.stat()
        except OSError:
            return False  # reading says what is wrong
        identity = (status.st_dev, status.st_ino)
        is_other = self._file_id not in (None, identity) or status.st_size < self._offset
        if is_other:
            self._begin_anew()
        self._file_id = identity
        return is_other

    def new_events(self) -> list[Event]:
        """Return the events that were appended since the last call: see ``read_journal``.

        Raises:
            JournalError: The file cannot be opened, or one of its lines is no event.
        """
        try:
            with open(self._path, "rb", opener=plain_file) as file, gc_paused():
                file.seek(self._offset)
                return list(self._read(file))
        except OSError as error:
            raise JournalError(f"{self._path} cannot be read ({error.strerror}). Name the folder of a run.") from error

    def _read(self, file: BinaryIO) -> Iterator[Event]:
        lines = iter(partial(file.readline, MOST_BYTES + 1), b"")
        number, expected, offset = self._lines, self._expected, self._offset
        for line in lines:
            number += 1
            event = self._decoded(line, number)
            if not line.endswith(b"\n"):
                break  # it is torn, or will be whole the next time
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
            offset += len(line)
            self._lines, self._expected, self._offset = number, expected, offset

    def _decoded(self, line: bytes, number: int) -> Event | None:
        try:
            if len(line) > MAX_LINE_BYTES and len(line) - seal_bytes(line) > MAX_LINE_BYTES:
                raise EventError(f"it is longer than {MAX_LINE_BYTES} bytes")
            return decode(line) if line.endswith(b"\n") else None
        except NewerFormatError as error:
            raise JournalError(f"{self._path}, line {number} cannot be read. {error}") from error
        except PassedOverError as error:
            return Damaged(time_s=0.0, text=f"Line {number} of the journal does not count: {error}.")
        except EventError as error:
            raise JournalError(
                f"{self._path}, line {number} is no event: {error}. "
                "Repair or remove this line, or restore the file from a copy."
            ) from error


def _changed(number: int, *, counts: bool) -> str:
    what = "see whether it is right" if counts else "it does not count"
    return f"Line {number} of the journal was changed after it was written: {what}."


def _misnumbered(number: int, missing: int) -> str:
    if missing > 0:
        lines = "a line is" if missing == 1 else f"{missing} lines are"
        return f"The journal was cut or edited: {lines} missing before line {number}."
    return f"The journal was edited: line {number} is a copy, or is not in its place."
