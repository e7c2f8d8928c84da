"""The event log of a run, as its decisions see it: where events and tracebacks are kept."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from tune_jobs.results import Event, RunEnded


class EventLog(Protocol):
    """The log that keeps the events and tracebacks of a run."""

    def event(self, event: Event) -> None:
        """Keep an event.

        Raises:
            OSError: The event cannot be kept.
        """

    def traceback(self, trial: int, text: str) -> None:
        """Keep the traceback of a trial that failed."""


class GapFreeLog:
    """An event log without gaps: after the first event that cannot be kept, no other is kept.

    Args:
        log: The log that keeps the events.

    Attributes:
        failure: The reason why a run ends whose events cannot be kept, and the remedy; else None.
    """

    def __init__(self, log: EventLog) -> None:
        self.failure: str | None = None
        self._log = log
        self._sentences: set[str] = set()

    def unsaid(self, notes: Iterable[tuple[int | None, str]]) -> list[tuple[int | None, str]]:
        """Return the notes of a worker without those about the run that were told already."""
        new = [note for note in notes if note[0] is not None or note[1] not in self._sentences]
        self._sentences.update(text for number, text in new if number is None)
        return new

    def event(self, event: Event) -> None:
        """Keep an event, unless an earlier one could not be kept."""
        if self.failure is not None:
            return
        try:
            self._log.event(event)
        except OSError as error:
            self.failure = (
                f"The journal could not be written ({error.strerror or error}), so the run ended. Nothing in the "
                "journal is lost: make room, or bring the storage back, and resume the run."
            )

    def traceback(self, trial: int, text: str) -> None:
        """Keep the traceback of a trial that failed."""
        self._log.traceback(trial, text)

    def end(self, event: RunEnded) -> None:
        """Keep the last event, if that is possible, also after a gap: otherwise the driver would seem to be killed."""
        with suppress(OSError):
            self._log.event(event)
