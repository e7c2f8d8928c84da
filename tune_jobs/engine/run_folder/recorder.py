"""Where the events of a run go: the journal first, then whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from trainables.storage.layout import trial_name
from tune_jobs.engine.decisions.retention import CheckpointPruner
from tune_jobs.engine.run_folder.reporter import Plan, Reporter
from tune_jobs.results import Event, JournalWriter
from tune_jobs.results.layout import ERROR_FILE, JOURNAL_FILE, TRIALS_FOLDER

Check = Callable[[], object]


class Recorder:
    """Writes the journal and the tracebacks of a run.

    Args:
        folder: The run's folder.
        reporter: Whoever shows the progress.
        keeper: Deletes weights that are no longer needed.
        check: Raises OSError when what is kept here no longer reaches where the run lies; None: it lies here.

    Attributes:
        torn_bytes: How much of a torn last line was cut off the journal.
    """

    def __init__(
        self, folder: Path, reporter: Reporter | None, keeper: CheckpointPruner, check: Check | None = None
    ) -> None:
        self._folder = folder
        self._keeper = keeper
        self._check = check
        self._journal = JournalWriter(folder / JOURNAL_FILE)
        self._reporter = reporter
        self.torn_bytes = self._journal.torn_bytes

    def begin(self, plan: Plan) -> None:
        """Tells what is known before the first event."""
        for event in plan.earlier:
            self._keeper.event(event)
        self._tell(lambda reporter: reporter.begin(plan))

    def event(self, event: Event) -> None:
        """Keeps an event."""
        if self._check is not None:
            self._check()
        self._journal.write(event)
        self._keeper.event(event)
        self._tell(lambda reporter: reporter.event(event))

    def traceback(self, trial: int, text: str) -> None:
        """Keeps the whole traceback of a trial that failed; the journal has its last line."""
        path = traceback_file(self._folder, trial)
        with suppress(OSError):  # a full disk: where that lasts, the journal tells
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def close(self) -> None:
        """Closes the journal, when no worker is left."""
        self._journal.close()
        self._keeper.end()
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
    return folder / TRIALS_FOLDER / trial_name(trial) / ERROR_FILE
