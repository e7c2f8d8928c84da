"""Where the events of a run go: the journal first, then whoever watches."""

from __future__ import annotations

from pathlib import Path

from tune_jobs.engine.reporter import Reporter
from tune_jobs.results import Event, JournalWriter
from tune_jobs.results.journal import JOURNAL_NAME


class Recorder:
    """Writes the journal and the tracebacks of a run.

    Args:
        folder: The run's folder.
        reporter: Whoever shows the progress.
    """

    def __init__(self, folder: Path, reporter: Reporter | None) -> None:
        self._folder = folder
        self._journal = JournalWriter(folder / JOURNAL_NAME)
        self._reporter = reporter

    def event(self, event: Event) -> None:
        """Keeps an event."""
        self._journal.write(event)
        if self._reporter:
            self._reporter.event(event)

    def traceback(self, trial: int, text: str) -> None:
        """Keeps the whole traceback of a trial that failed; the journal has its last line."""
        folder = self._folder / "trials" / f"{trial:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "error.txt").write_text(text, encoding="utf-8")

    def close(self) -> None:
        """Closes the journal."""
        self._journal.close()
