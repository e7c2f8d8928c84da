"""A confusion matrix as aligned text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len, set_cell_size

from tune_jobs.views.text import clean, cut

if TYPE_CHECKING:
    from tune_jobs.evaluation.reports import Classification

_LONGEST_HEADING = 5
_LONGEST_NAME = 24
_MOST_CONFUSIONS = 10
_NONE = "."


def confusion_lines(classification: Classification, width: int) -> list[str]:
    """Return the matrix, a row a true class. If it is too wide, return the most confused pairs of classes instead.

    A name that is too long for the head of a column stands only before its row, with the number that heads the column.
    """
    matrix = _matrix(classification)
    if max(map(cell_len, matrix)) <= width:
        return ["confusion matrix, a row a true class, a column a predicted one:", *matrix]
    return [f"confused most, of {len(classification.class_names)} classes:", *_most_confused(classification)]


def _matrix(classification: Classification) -> list[str]:
    names = [cut(clean(name), _LONGEST_NAME) for name in classification.class_names]
    heads = names
    if max(map(cell_len, names)) > _LONGEST_HEADING:
        heads = [str(index) for index in range(len(names))]
        names = [f"{head:>{len(heads[-1])}} {name}" for head, name in zip(heads, names, strict=True)]
    cells = [[str(count) if count else _NONE for count in row] for row in classification.confusion.tolist()]
    columns = [[head, *column] for head, column in zip(heads, zip(*cells, strict=True), strict=True)]
    widest = [max(map(cell_len, column)) for column in columns]
    label = max(map(cell_len, names))
    rows = zip(["", *names], zip(*columns, strict=True), strict=True)
    return [
        "  ".join([set_cell_size(name, label), *(_right(cell, size) for cell, size in zip(row, widest, strict=True))])
        for name, row in rows
    ]


def _most_confused(classification: Classification) -> list[str]:
    wrong = classification.confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_CONFUSIONS]
    pairs = [np.unravel_index(index, wrong.shape) for index in order]
    names = [clean(name) for name in classification.class_names]
    lines = [
        f"{wrong[true, predicted]:6}  {names[true]} taken for {names[predicted]}"
        for true, predicted in pairs
        if wrong[true, predicted]
    ]
    return lines or ["  none"]


def _right(text: str, width: int) -> str:
    return " " * (width - cell_len(text)) + text
