"""A run as a notebook shows it: its result in a few words, and the top of its leaderboard."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from tune_jobs.report.material import Material
from tune_jobs.results import JournalError
from tune_jobs.results.run import Run
from tune_jobs.views.summary import best_text, totals_text
from tune_jobs.views.tables.columns import TextColumn
from tune_jobs.views.tables.leaderboard import fitted
from tune_jobs.views.text import clean

_TOP = 10
_WIDTH = 140


def run_html(run: Run) -> str:
    """Return a run as HTML. Everything in it that comes from the run is escaped.

    Args:
        run: The run.
    """
    name = f"<strong>{escaped(run.name)}</strong>"
    try:
        material = Material.of(run)
        frame = run.leaderboard().head(_TOP)
    except JournalError as error:
        return f"<p>{name}: {escaped(error)}</p>"
    if not material.history.trials:
        return f"<p>{name}: no trial has started yet.</p>"
    lines = [escaped(totals_text(material.history))]
    best = material.ranked[0]
    if best.best is not None:
        lines.append(f"best: {escaped(best_text(best, material.metric))}")
    columns, _, hidden = fitted(frame, _WIDTH, len(run.space.slots()))
    more = len(material.history.trials) - len(frame)
    left_out = [f"{more:,} more trials" if more > 0 else "", f"columns {', '.join(hidden)}" if hidden else ""]
    note = "; ".join(filter(None, left_out))
    table = table_html(columns)
    below = f"<p style='opacity:0.7'>{escaped(note)}: run.leaderboard() has them.</p>" if note else ""
    return f"<div><p>{name}: {'<br>'.join(lines)}</p>{table}{below}</div>"


def table_html(columns: Sequence[TextColumn]) -> str:
    """Return columns of text as a table of HTML."""
    head = _row("th", (column.name for column in columns))
    rows = zip(*(column.cells for column in columns), strict=True)
    body = "".join(_row("td", cells) for cells in rows)
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


def escaped(value: object) -> str:
    """Return a text as HTML shows it, whatever it holds."""
    return html.escape(clean(value))


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escaped(cell)}</{tag}>' for cell in cells)}</tr>"
