"""Earlier results from a table: a CSV file, such as ``tune-jobs leaderboard --output`` writes, or a DataFrame."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from search_spaces import SearchSpace
from search_spaces.messages import did_you_mean
from tune_jobs.base.named_files import plain_file
from tune_jobs.base.objective import Objective, direction
from tune_jobs.engine.earlier_results.source import EarlierResult, EarlierSearch, WarmStart
from tune_jobs.errors import RequestError
from tune_jobs.results import Status

_MOST_BYTES = 200_000_000
_FIXED = ("status", "epochs", "rank", "trial")
_DELIMITERS = (",", ";", "\t")
_UNFINISHED = (Status.INTERRUPTED, Status.PAUSED)
_Row = Mapping[str, str]


def read_table(source: object, how: WarmStart, objective: Objective, space: SearchSpace) -> EarlierSearch:
    """Return the results in a table: a row for each, with columns for the objective and the parameters.

    The columns ``status`` and ``epochs`` count if there are any. Without them, each result counts as trained to its
    end. A parameter's column has its name, or ``param_`` and its name.

    Args:
        source: The path of a CSV file, or a DataFrame.
        how: The way in which the table is taken.
        objective: The objective of the new run.
        space: The space of the new run.

    Raises:
        RequestError: It is no table, it has no column for the objective, or it is ranked the other way round.
    """
    metric = how.metric or objective.metric
    if isinstance(source, str | Path):
        name, text = str(source), _text(Path(source))
    else:
        from tune_jobs.results.formats import to_csv

        name, text = "the table", to_csv(source)  # type: ignore[arg-type]  # it is a DataFrame
    header, rows = _rows(name, text, metric)
    column = next((one for one in (f"metric_{metric}", metric) if one in header), None)
    if column is None:
        columns = [one for one in header if one]
        raise RequestError(
            f"{name} has no column {metric!r}, which is the objective: {did_you_mean(metric, columns)}; or name the "
            f"column: WarmStart({name!r}, metric=…)."
        )
    own = {slot.label: _column(slot.label, header) for slot in space.slots()}
    labels = {label: one for label, one in own.items() if one in header and one != column}
    if not labels:
        others = ", ".join([one for one in header if one not in (column, *_FIXED)][:10])
        raise RequestError(
            f"{name} has none of the space's parameters ({', '.join(space.parameters)}) among its columns"
            f"{f' ({others})' if others else ''}: leave it out of the warm start, or rename its columns."
        )
    fixed: set[str] = {one for one in _FIXED if one in header and one not in labels.values()}
    if problem := _rank_problem(name, rows, column, objective, fixed):
        raise RequestError(problem)
    results = [_result(number, row, column, labels, fixed) for number, row in enumerate(rows)]
    return EarlierSearch(
        name,
        results,
        frozenset(slot.name for slot in space.slots() if slot.label in labels),
        max((epoch for one in results for epoch in one.objective_by_epoch), default=0) or None,
        has_epochs=False,
    )


def _text(path: Path) -> str:
    try:
        with open(path, "rb", opener=plain_file) as file:
            if os.fstat(file.fileno()).st_size > _MOST_BYTES:
                raise RequestError(f"{path} has more than {_MOST_BYTES // 10**6} MB: it is no table of results.")
            return file.read().decode("utf-8-sig")
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        hint = (
            f" For a storage of Optuna, write sqlite:///{path}."
            if path.suffix in (".db", ".sqlite", ".sqlite3")
            else ""
        )
        raise RequestError(f"{path} is no CSV file: it is no text in UTF-8.{hint}") from error


def _rows(name: str, text: str, metric: str) -> tuple[list[str], list[_Row]]:
    """Return the names of the columns, and the rows that are not blank.

    Raises:
        RequestError: The text is no CSV, or has no rows.
    """
    head = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise RequestError(f"{name} is no CSV file: {error}.") from error
    if not lines:
        raise RequestError(
            f"{name} is empty: it needs a line with the names of the columns, and a line for each result."
        )
    header = [cell.strip().removeprefix("'") for cell in lines[0][1]]
    if len(header) < 2:
        raise RequestError(
            f"{name} is no CSV file: its first line, {head[:60]!r}, names no columns. It needs one for {metric}, and "
            "one for each parameter."
        )
    if doubled := sorted({one for one in header if header.count(one) > 1 and one}):
        raise RequestError(f"{name} has several columns {doubled[0]!r}: rename or remove them.")
    uneven = next(((line, cells) for line, cells in lines[1:] if len(cells) != len(header)), None)
    if uneven is not None:
        raise RequestError(
            f"{name} is no CSV file: line {uneven[0]} has {len(uneven[1])} cells, but the first line has {len(header)}."
        )
    if len(lines) == 1:
        raise RequestError(f"{name} has no results: there is nothing after the names of its columns.")
    return header, [dict(zip(header, cells, strict=True)) for _, cells in lines[1:]]


def _column(label: str, header: Sequence[str]) -> str:
    return f"param_{label}" if f"param_{label}" in header else label


def _result(number: int, row: _Row, column: str, labels: Mapping[str, str], fixed: set[str]) -> EarlierResult:
    value = _number(row[column])
    epochs = _number(row["epochs"]) if "epochs" in fixed else None
    status = _status(row["status"]) if "status" in fixed else Status.COMPLETED
    epoch = 0 if epochs is None else max(int(epochs), 1)  # 0: the last one, whichever it was
    trial = _number(row["trial"]) if "trial" in fixed else None
    return EarlierResult(
        number if trial is None else int(trial),
        {label: row[one] for label, one in labels.items() if row[one] != ""},
        {} if value is None else {epoch: value},
        status,
        metrics_by_epoch={epoch: {name: cell for name, text in row.items() if (cell := _number(text)) is not None}},
    )


def _status(text: str) -> Status:
    try:
        status = Status(text.strip().lower())
    except ValueError:
        return Status.COMPLETED
    return Status.RUNNING if status in _UNFINISHED else status


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _rank_problem(name: str, rows: Sequence[_Row], column: str, objective: Objective, fixed: set[str]) -> str | None:
    """Return that a table is ranked the other way round than the objective; None if it is not."""
    if "rank" not in fixed:
        return None
    ranked = sorted(_ranked(rows, column))
    if not ranked or not objective.is_better(ranked[-1][1], ranked[0][1]):
        return None
    return (
        f"The ranks of {name} begin with the worst {column} of this run, for which {direction(objective.mode)} "
        f"({objective.mode}): leave it out of the warm start, or correct the mode of the objective."
    )


def _ranked(rows: Sequence[_Row], column: str) -> Iterator[tuple[float, float]]:
    for row in rows:
        rank, value = _number(row["rank"]), _number(row[column])
        if rank is not None and value is not None:
            yield rank, value
