"""Where the events of a run go: the journal first, then whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trainables.checkpoint import trial_folder
from tune_jobs.engine.reporter import Plan, Reporter
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

    def begin(self, plan: Plan) -> None:
        """Tells what is known before the first event."""
        self._tell(lambda reporter: reporter.begin(plan))

    def event(self, event: Event) -> None:
        """Keeps an event."""
        self._journal.write(event)
        self._tell(lambda reporter: reporter.event(event))

    def traceback(self, trial: int, text: str) -> None:
        """Keeps the whole traceback of a trial that failed; the journal has its last line."""
        path = traceback_file(self._folder, trial)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def close(self) -> None:
        """Closes the journal."""
        self._journal.close()
        self._tell(lambda reporter: reporter.end())

    def _tell(self, tell: Callable[[Reporter], None]) -> None:
        if self._reporter is None:
            return
        try:
            tell(self._reporter)
        except Exception:  # noqa: BLE001 - a screen that went away (a closed pipe) must not end hours of training
            self._reporter = None


def traceback_file(folder: Path, trial: int) -> Path:
    """Where a run keeps the traceback of a trial."""
    return trial_folder(folder / "trials", trial) / "error.txt"
