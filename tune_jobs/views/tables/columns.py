"""The columns of a leaderboard as text, and the choice of those that fit into a width."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from tune_jobs.views.text import clean, cut, number, score, value_text

if TYPE_CHECKING:
    import pandas as pd

MISSING = "-"
_SIGNIFICANT = 4
_SEPARATOR = ", "


@dataclass(frozen=True)
class TextColumn:
    """A column as it is printed.

    Attributes:
        name: The column's name in the table that it comes from.
        header: The name as it is printed, in one line or two.
        cells: The text of each row.
        is_number: True if the column is aligned to the right.
    """

    name: str
    header: str
    cells: tuple[str, ...]
    is_number: bool

    @property
    def width(self) -> int:
        """Columns of the terminal that it takes."""
        return max(map(_width, [*self.header.split("\n"), *self.cells]))

    def aligned(self, texts: Iterable[str]) -> list[str]:
        """Return texts of this column, each as wide as the column."""
        width = self.width
        return [_aligned(text, width, is_number=self.is_number) for text in texts]

    @property
    def is_empty(self) -> bool:
        """True if no row has a value."""
        return all(cell == MISSING for cell in self.cells)


def _aligned(text: str, width: int, *, is_number: bool) -> str:
    if text.isascii():
        return text.rjust(width) if is_number else text.ljust(width)
    blank = " " * (width - _width(text))
    return blank + text if is_number else text + blank


def _width(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)


def text_columns(frame: pd.DataFrame) -> list[TextColumn]:
    """Return the columns of a table, every value as text."""
    return [_text_column(str(name), values) for name, values in frame.items()]


def _text_column(name: str, values: pd.Series[Any]) -> TextColumn:
    plain = values.tolist()
    if str(values.dtype).lower() == "float64":
        return TextColumn(name, clean(name), _float_cells(plain), is_number=True)
    cells = tuple(MISSING if _is_missing(value) else value_text(value) for value in plain)
    return TextColumn(name, clean(name), cells, str(values.dtype).lower() == "int64")


def _float_cells(values: list[Any]) -> tuple[str, ...]:
    # Zeros are added only where digits are cut anyway: 0.9500 beside 0.9472, but 0.1 beside 0.5.
    known = [value for value in values if not _is_missing(value)]
    write = score if any(_digits(number(value)) >= _SIGNIFICANT for value in known) else number
    return tuple(MISSING if _is_missing(value) else write(value) for value in values)


def _digits(text: str) -> int:
    return len(text.partition("e")[0].lstrip("-0.").replace(".", ""))


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return value is pd.NA or (isinstance(value, float) and value != value)


def merged(columns: Sequence[TextColumn]) -> list[TextColumn]:
    """Return the columns with units_0, units_1, … merged into one: units, "64, 32"."""
    taken = {column.name for column in columns}
    result: list[TextColumn] = []
    for stem, group in groupby(columns, key=lambda column: _stem(column.name)):
        members = list(group)
        is_list = [column.name for column in members] == [f"{stem}_{index}" for index in range(len(members))]
        if stem is None or not is_list or len(members) < 2 or stem in taken:
            result += members
        else:
            result.append(_joined(stem, members))
    return result


def _stem(name: str) -> str | None:
    match = re.fullmatch(r"(.+?)_(\d+)", name)
    return match[1] if match else None


def _joined(stem: str, members: Sequence[TextColumn]) -> TextColumn:
    rows = zip(*(column.cells for column in members), strict=True)
    cells = tuple(_SEPARATOR.join(cell for cell in row if cell != MISSING) or MISSING for row in rows)
    return TextColumn(stem, clean(stem), cells, is_number=False)


def counted(columns: Sequence[TextColumn], lists: Sequence[TextColumn]) -> set[str]:
    """Return the names of the columns that only repeat the length of one of the lists."""
    lengths = {tuple(_length(cell) for cell in column.cells) for column in lists}
    return {column.name for column in columns if column.cells in lengths}


def _length(cell: str) -> str:
    return "0" if cell == MISSING else str(cell.count(_SEPARATOR) + 1)


def folded(column: TextColumn, most: int) -> TextColumn:
    """Return the column, narrower.

    Its cells are cut to a width. Its header takes two lines if it is wider than its cells.
    """
    cells = tuple(cut(cell, most) for cell in column.cells)
    header = column.header
    breaks = [match.end() for match in re.finditer("_", header) if match.end() < len(header)]
    if breaks and len(header) > max(map(cell_len, cells), default=0):
        halves = min(((header[:at], header[at:]) for at in breaks), key=lambda pair: max(map(len, pair)))
        header = "\n".join(halves)
    return TextColumn(column.name, header, cells, column.is_number)


def fitting(columns: Sequence[TextColumn], order: Iterable[str], width: int, gap: int) -> set[str]:
    """Return the names of the columns that fit into a width, taken in the given order. The first one always fits."""
    widths = {column.name: column.width for column in columns}
    kept: set[str] = set()
    used = -gap
    for name in order:
        if name in widths and (not kept or used + gap + widths[name] <= width):
            kept.add(name)
            used += gap + widths[name]
    return kept
