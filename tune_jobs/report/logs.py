"""The ends of logs, as text that is safe to show."""

from __future__ import annotations

import os
from pathlib import Path

from tune_jobs.base.named_files import plain_file
from tune_jobs.base.plain_text import plain_text
from tune_jobs.report.material import Material
from tune_jobs.results.history import TrialHistory
from tune_jobs.results.layout import RAY_LOG, error_file
from tune_jobs.views.text import clean, moment

_MOST_BYTES = 32 * 2**10


def trial_log(material: Material, trial: TrialHistory) -> str:
    """Return the notes about a trial, and the end of its traceback; "" if there are none.

    Args:
        material: The material of the run.
        trial: The trial.
    """
    notes = [note for note in material.history.notes if note.trial == trial.trial]
    lines = [f"{moment(note.time_s)}  {clean(plain_text(note.text))}" for note in notes]
    traceback = end_of(error_file(material.run.folder, trial.trial))
    return "\n".join([*lines, *([traceback] if traceback else [])])


def run_log(folder: Path) -> str:
    """Return the end of the output of Ray and TensorFlow; "" if there is none.

    Args:
        folder: The folder of the run.
    """
    return end_of(folder / RAY_LOG)


def end_of(path: Path) -> str:
    """Return the end of a text file, from the beginning of a line on; "" if it cannot be read.

    Args:
        path: The file.
    """
    try:
        with open(path, "rb", opener=plain_file) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _MOST_BYTES))
            content = file.read(_MOST_BYTES)
    except OSError:
        return ""
    text = plain_text(content.decode(errors="replace"))
    return text if size <= _MOST_BYTES else f"…\n{text.partition(chr(10))[2]}"
