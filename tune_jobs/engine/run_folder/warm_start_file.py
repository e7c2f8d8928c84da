"""The file of a run's warm start: the results of other searches that were taken when the run was created.

The file is a journal of its own. To resume the new run, the other searches are not needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tune_jobs.results import Event, JournalWriter, read_journal
from tune_jobs.results.layout import WARM_START_FILE


def write_lessons(folder: Path, lessons: Iterable[Event]) -> None:
    """Write the file of a new run.

    Args:
        folder: The run's folder.
        lessons: The events that ``gather`` returned.
    """
    with JournalWriter(folder / WARM_START_FILE) as journal:
        for event in lessons:
            journal.write(event)


def read_lessons(folder: Path) -> list[Event]:
    """Return the events with which a run was begun; none if it had no warm start.

    Args:
        folder: The run's folder.

    Raises:
        JournalError: The file is damaged.
    """
    path = folder / WARM_START_FILE
    return read_journal(path) if path.exists() else []
