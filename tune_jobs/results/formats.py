"""Tables in other formats: CSV, JSON, Markdown and Parquet."""

from __future__ import annotations

import html
import io
import json
import math
import re
from collections.abc import Callable
from typing import Any

import pandas as pd


def to_text(frame: pd.DataFrame, format: str) -> str:
    """Return a table as text, without its index.

    Args:
        frame: The table.
        format: "csv", "json" or "markdown".

    Raises:
        ValueError: There is no such format.
    """
    if format not in _TEXT_FORMATS:
        raise ValueError(f"The format is {format!r}, but must be one of {', '.join(_TEXT_FORMATS)}.")
    return _TEXT_FORMATS[format](frame)


def to_csv(frame: pd.DataFrame) -> str:
    """Return a table as CSV with a header. Missing values are empty, and columns of mixed values are JSON text.

    A spreadsheet takes a cell for a formula if it begins with =, +, -, @, a tab or a line break. Texts that do, and
    names of columns, get an apostrophe before them. Numbers stay as they are.
    """
    plain = _without_objects(frame)
    for name, column in list(plain.items()):
        if isinstance(column.dtype, pd.StringDtype):
            numbers = frame[name].map(lambda value: type(value) in (int, float)).astype(bool)
            texts = column.map(_newlines, na_action="ignore")
            plain[name] = texts.where(numbers, texts.map(_disarmed, na_action="ignore"))
    plain.columns = pd.Index([_disarmed(_newlines(str(name))) for name in plain.columns])
    return plain.to_csv(index=False, lineterminator="\n")


def to_json(frame: pd.DataFrame) -> str:
    """Return a table as a JSON list with one object per row, each on its own line.

    Whole numbers, booleans and lists keep their types; missing values are null. Standard JSON has no infinity: it is
    written as "inf" or "-inf", as in the journal.
    """
    columns = [[_json_value(value) for value in column.tolist()] for _, column in frame.items()]
    names = [str(name) for name in frame.columns]
    rows = (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
    return f"[\n{lines}\n]\n" if lines else "[]\n"


def to_markdown(frame: pd.DataFrame) -> str:
    """Return a table as GitHub's Markdown. Numbers stand to the right with six digits; missing values are empty."""
    columns = [[_markdown_cell(value) for value in column.tolist()] for _, column in frame.items()]
    head = [_markdown_cell(str(name)) for name in frame.columns]
    rule = ["---:" if pd.api.types.is_any_real_numeric_dtype(dtype) else "---" for dtype in frame.dtypes]
    rows = [head, rule, *zip(*columns, strict=True)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def to_parquet(frame: pd.DataFrame) -> bytes:
    """Return a table as the bytes of a Parquet file, from which ``pandas.read_parquet`` reads the same typed columns.

    Columns of mixed values are JSON text, because a column of Parquet has one type. An inactive parameter is missing;
    a parameter whose value is None is the text "null".
    """
    buffer = io.BytesIO()
    _without_objects(frame).to_parquet(buffer, index=False)
    return buffer.getvalue()


_TEXT_FORMATS: dict[str, Callable[[pd.DataFrame], str]] = {
    "csv": to_csv,
    "json": to_json,
    "markdown": to_markdown,
}


def _without_objects(frame: pd.DataFrame) -> pd.DataFrame:
    plain = frame.copy()
    for name in list(frame.select_dtypes("object")):
        plain[name] = frame[name].map(_json_text).astype("string")
    return plain


def _json_text(value: Any) -> Any:
    return pd.NA if value is pd.NA else json.dumps(value, ensure_ascii=False, allow_nan=False)


def _disarmed(text: str) -> str:
    return f"'{text}" if text.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\n")) else text


def _newlines(text: str) -> str:
    # Readers of CSV take a lone carriage return for the end of a row, but writers do not quote it.
    return re.sub("\r\n?", "\n", text)


def _json_value(value: Any) -> Any:
    if value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def _markdown_cell(value: Any) -> str:
    if value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Unescaped, a pipe would end the cell, a line break would end the table, and <class 'int'> would be HTML.
    text = html.escape(text, quote=False).replace("\\", "\\\\").replace("|", "\\|")
    return " ".join(text.split())
