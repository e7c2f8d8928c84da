"""The runs of a storage as a table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from trainables.storage.object_store import redacted
from tune_jobs.results import History, JournalError, ranking
from tune_jobs.views.summary import status_counts, statuses_text
from tune_jobs.views.tables.printing import new_table, print_table
from tune_jobs.views.text import clean, score

if TYPE_CHECKING:
    from tune_jobs.results.run import Run


def print_runs(console: Console, runs: Sequence[Run], storage: Path | str) -> None:
    """Prints the runs of a storage, a row each; where there is no terminal, of whatever width they take."""
    if not runs:
        console.print(
            f"{clean(redacted(str(storage)))} has no runs: tune-jobs run EXPERIMENT makes one.", soft_wrap=True
        )
        return
    table = new_table()
    for name in ("run", "started", "experiment", "trials", "best", "state"):
        table.add_column(name, overflow="fold")
    for run in runs:
        table.add_row(*map(Text, run_row(run)))
    print_table(console, table)


def run_row(run: Run) -> tuple[str, ...]:
    """Name, start, experiment, trials by status, best objective and state of a run."""
    asked = run.experiment
    about = (clean(run.name), _moment(asked["created_s"]), clean(asked.get("experiment", "-")))
    try:
        history = run.history()
    except JournalError:
        return (*about, "-", "-", "its journal is damaged")
    return (*about, _trials(history), _best(run, history), _state(history))


def _moment(time_s: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(time_s))
    except (OverflowError, ValueError, OSError):  # what a file says need not be a time
        return "-"


def _trials(history: History) -> str:
    return statuses_text(status_counts(history)) or "none"


def _best(run: Run, history: History) -> str:
    places = ranking(history, run.objective)
    if not places or places[0].best is None:
        return "-"
    metric = run.objective.metric
    return f"{clean(metric)} {score(places[0].best.metrics[metric])}"


def _state(history: History) -> str:
    if history.ended_s is None:
        return "running, or killed"
    return "failed" if history.error else clean(f"ended: {history.reason}")
