"""Where a run's events go, and what it means when they cannot be kept."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from tune_jobs.results import Event, RunEnded


class Record(Protocol):
    """Where events and tracebacks are kept."""

    def event(self, event: Event) -> None:
        """Keeps an event."""

    def traceback(self, trial: int, text: str) -> None:
        """Keeps a traceback."""


class EventSink:
    """Tells events until one is refused: the journal has no gap.

    Attributes:
        failure: Why no more is told, and what to do; else None.
    """

    def __init__(self, record: Record) -> None:
        self.failure: str | None = None
        self._record = record

    def tell(self, event: Event) -> None:
        """Has an event kept."""
        if self.failure is not None:
            return
        try:
            self._record.event(event)
        except OSError as error:
            self.failure = (
                f"The journal could not be written ({error.strerror or error}), so the run ended. Nothing that it told "
                "is lost: make room, or bring the storage back, and resume the run."
            )

    def end(self, event: RunEnded) -> None:
        """Has the last event kept, if that can be: else it looks as if the driver had been killed."""
        with suppress(OSError):
            self._record.event(event)
