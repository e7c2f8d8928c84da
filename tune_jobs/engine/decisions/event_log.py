"""The event log of a run, as its decisions see it: where events and tracebacks are kept."""

from __future__ import annotations

from typing import Protocol

from tune_jobs.results import Event


class EventLog(Protocol):
    """The place where the events and tracebacks of a run are kept."""

    def event(self, event: Event) -> None:
        """Keep an event.

        Raises:
            OSError: The event cannot be kept.
        """

    def traceback(self, trial: int, text: str) -> None:
        """Keep the traceback of a trial that failed."""


def full_log(error: OSError) -> str:
    """Return why a run ends whose events cannot be kept, and what to do about it."""
    return (
        f"The journal could not be written ({error.strerror or error}), so the run ended. Nothing in the journal is "
        "lost: make room, or bring the storage back, and resume the run."
    )
