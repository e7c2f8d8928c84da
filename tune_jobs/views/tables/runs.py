"""The runs of a storage as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from trainables.storage.object_store import redacted
from tune_jobs.results import History, JournalError, ranking
from tune_jobs.views.summary import status_counts, statuses_text
from tune_jobs.views.tables.printing import new_table, print_table
from tune_jobs.views.text import clean, moment, score

if TYPE_CHECKING:
    from tune_jobs.results.run import Run


def print_runs(console: Console, runs: Sequence[Run], storage: Path | str) -> None:
    """Print the runs of a storage, a row each.

    On a terminal the table fits the width, elsewhere it takes the width that it needs.

    Args:
        console: The output.
        runs: The runs.
        storage: The storage. It is named if it has no runs.
    """
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
    """Return name, start, experiment, trials by status, best objective and state of a run."""
    record = run.experiment
    about = (clean(run.name), moment(record["created_s"]), clean(record.get("experiment", "-")))
    try:
        history = run.history()
    except JournalError:
        return (*about, "-", "-", "its journal is damaged")
    return (*about, *run_cells(run, history))


def run_cells(run: Run, history: History) -> tuple[str, str, str]:
    """Return trials by status, best objective and state of a run.

    Args:
        run: The run.
        history: The history of the run.
    """
    return _trials(history), _best(run, history), _state(history)


def _trials(history: History) -> str:
    return statuses_text(status_counts(history)) or "none"


def _best(run: Run, history: History) -> str:
    ranked = ranking(history, run.objective)
    if not ranked or ranked[0].best is None:
        return "-"
    metric = run.objective.metric
    broken = " (breaks a constraint)" if run.objective.violation(ranked[0].best.metrics) else ""
    return f"{clean(metric)} {score(ranked[0].best.metrics[metric])}{broken}"


def _state(history: History) -> str:
    if history.ended_s is None:
        return "running, or killed"
    return "failed" if history.error else clean(f"ended: {history.reason}")
