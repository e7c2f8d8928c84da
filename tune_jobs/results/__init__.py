"""Results of runs, read from their folders without Ray and without TensorFlow.

The names below are cheap to import. The modules that make tables import pandas, so they are imported by name:
``leaderboard``, ``curves`` and ``formats``.
"""

from __future__ import annotations

from tune_jobs.results.coherence import coherent, numbered_epochs
from tune_jobs.results.history import History, TrialHistory, epochs_at_own_end, fold
from tune_jobs.results.journal.events import (
    FINISHED,
    Damaged,
    Ending,
    EpochReported,
    Event,
    Noted,
    ParametersMet,
    RunEnded,
    RunStarted,
    Status,
    TrialEnded,
    TrialPaused,
    TrialPromoted,
    TrialStarted,
)
from tune_jobs.results.journal.file import JournalWriter
from tune_jobs.results.journal.reading import JournalError, JournalFollower, read_journal
from tune_jobs.results.layout import JOURNAL_FILE
from tune_jobs.results.ranking import RankedTrial, ranking

__all__ = [
    "FINISHED",
    "JOURNAL_FILE",
    "Damaged",
    "Ending",
    "EpochReported",
    "Event",
    "History",
    "JournalError",
    "JournalFollower",
    "JournalWriter",
    "Noted",
    "ParametersMet",
    "RankedTrial",
    "RunEnded",
    "RunStarted",
    "Status",
    "TrialEnded",
    "TrialHistory",
    "TrialPaused",
    "TrialPromoted",
    "TrialStarted",
    "coherent",
    "epochs_at_own_end",
    "fold",
    "numbered_epochs",
    "ranking",
    "read_journal",
]
