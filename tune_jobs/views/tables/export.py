"""A leaderboard in a file: its format, and writing it whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tune_jobs.base.atomic_files import write_whole
from tune_jobs.errors import RequestError
from tune_jobs.views.text import clean

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = {
    ".txt": "table",
    ".csv": "csv",
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".parquet": "parquet",
}


def format_for(named: str | None, output: Path | None) -> str:
    """Return the format of a table.

    Args:
        named: The format that the user named, if any.
        output: The file, if any.

    Raises:
        RequestError: The file's suffix names no format, or the format needs a file.
    """
    if named == "parquet" and output is None:
        raise RequestError("Parquet is not text: name a file for it, such as --output leaderboard.parquet.")
    if named is not None or output is None:
        return named or "table"
    if output.suffix.lower() not in SUFFIXES:
        raise RequestError(
            f"The suffix of {output} names no format, but must be one of {', '.join(SUFFIXES)}: "
            "choose one of them, or use --format."
        )
    return SUFFIXES[output.suffix.lower()]


def export(frame: pd.DataFrame, format: str, output: Path) -> None:
    """Write a leaderboard into a file.

    Args:
        frame: The leaderboard.
        format: A value of ``SUFFIXES``.
        output: The file. It is replaced if it exists.

    Raises:
        RequestError: The file cannot be written. Nothing was written then.
    """
    write_whole(output, _content(frame, format))


def safe(text: str) -> str:
    """Return lines that are safe to show on a terminal, whatever they hold. Tabs are spelled out."""
    return "".join(f"{clean(line)}\n" for line in text.split("\n")[:-1])


def _content(frame: pd.DataFrame, format: str) -> bytes:
    from tune_jobs.results.formats import to_parquet, to_text
    from tune_jobs.views.tables.leaderboard import table_text

    if format == "parquet":
        return to_parquet(frame)
    return (table_text(frame) if format == "table" else to_text(frame, format)).encode()
