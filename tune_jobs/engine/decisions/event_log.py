"""The event log of a run, as its decisions see it: where events and tracebacks are kept."""

from __future__ import annotations

from typing import Protocol

from tune_jobs.results import Event


class EventLog(Protocol):
    """The log that keeps the events and tracebacks of a run."""

    def event(self, event: Event) -> None:
        """Keep an event.

        Raises:
            OSError: The event cannot be kept.
        """

    def traceback(self, trial: int, text: str) -> None:
        """Keep the traceback of a trial that failed."""


def full_log(error: OSError) -> str:
    """Return a message for a run that ends because its events cannot be kept: the reason and the remedy."""
    return (
        f"The journal could not be written ({error.strerror or error}), so the run ended. Nothing in the journal is "
        "lost: make room, or bring the storage back, and resume the run."
    )
