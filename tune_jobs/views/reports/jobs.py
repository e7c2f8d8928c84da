"""Text about jobs: one, a list of them, and what they print."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.text import Text

from tune_jobs.cluster.jobs.state import JobState
from tune_jobs.views.tables.printing import new_table, print_line, print_next, print_table
from tune_jobs.views.text import clean, duration, moment

_COLUMNS = ("job", "run", "experiment", "started", "took", "status")


def print_submitted(console: Console, state: JobState, commands: Sequence[str], notes: Sequence[str]) -> None:
    """Print a submitted job, and the commands about it."""
    for note in notes:
        print_line(console, Text.assemble(("note: ", "bold"), (clean(note), "yellow")))
    _print_fields(console, {"job": state.job, "run": state.run, "in": f"{state.storage}, on the cluster"})
    print_next(console, commands)


def print_state(console: Console, state: JobState) -> None:
    """Print everything that is known of a job."""
    facts = {
        "job": state.job,
        "run": state.run,
        "in": f"{state.storage}, on the cluster",
        "experiment": state.experiment,
        "started": moment(state.started_s),
        "took": _took(state),
        "status": state.status,
    }
    if state.status == "FAILED":
        facts["why"] = state.failure
    _print_fields(console, facts)


def print_jobs(console: Console, states: Sequence[JobState], address: str) -> None:
    """Print jobs, a row each."""
    if not states:
        print_line(console, f"{clean(address)} has no jobs of runs: tune-jobs submit EXPERIMENT sends one.")
        return
    table = new_table()
    for name in _COLUMNS:
        table.add_column(name, overflow="fold")
    for state in states:
        about = (state.job, state.run, state.experiment, moment(state.started_s), _took(state), state.status)
        table.add_row(*(Text(clean(each)) for each in about))
    print_table(console, table)


def clean_lines(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the output of a job, with characters spelled out that could steer a terminal. Lines stay lines."""
    for piece in pieces:
        yield "\n".join(map(clean, piece.expandtabs().split("\n")))


def _print_fields(console: Console, fields: dict[str, str]) -> None:
    width = max(map(len, fields))
    for name, value in fields.items():
        print_line(console, Text.assemble((f"{name + ':':<{width + 1}} ", "bold"), clean(value)))


def _took(state: JobState) -> str:
    if state.started_s is None:
        return "-"
    return duration(max(0.0, (state.ended_s or time.time()) - state.started_s))
