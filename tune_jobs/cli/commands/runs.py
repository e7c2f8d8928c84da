"""The commands that list runs and print the leaderboard of one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from tune_jobs.base.gc_pause import gc_paused
from tune_jobs.cli import options
from tune_jobs.cli import table_output as tables
from tune_jobs.cli.screen import console_of

if TYPE_CHECKING:
    import pandas as pd

    from tune_jobs.results.run import Run


@click.command()
@click.argument("run")
@options.storage
@click.option("--top", type=click.IntRange(min=1), help="Show this many of the best trials.")
@click.option(
    "--pareto",
    "trade",
    multiple=True,
    is_flag=False,
    flag_value="",
    metavar="[COLUMN:max|min]",
    help="Show the Pareto front only: of the run's objectives, or of several columns, each with the option.",
)
@click.option(
    "--best-by",
    "preference",
    multiple=True,
    metavar="BOUND|OBJECTIVE",
    help="Rank by an objective of the run, its first by default, those trials that keep a bound: 'parameters <= 1e5'.",
)
@tables.format_
@tables.output
@options.diagnostics
@gc_paused()
def leaderboard(
    run: str,
    storage: Path | str,
    top: int | None,
    trade: tuple[str, ...],
    preference: tuple[str, ...],
    format_: str | None,
    output: Path | None,
) -> None:
    """Print the trials of RUN, the best first.

    With --pareto, the command prints only the trials that no other trial beats in all objectives of the run; with
    --pareto accuracy:max --pareto seconds:min, in these columns. With --best-by "parameters <= 1e5", it prints only
    the trials that keep this bound. On a terminal the table shows as many columns as fit. Every other output has all
    of them.
    """
    from tune_jobs.analysis.preference import best_by
    from tune_jobs.errors import RequestError
    from tune_jobs.results.find import find_run
    from tune_jobs.views.tables.export import format_for
    from tune_jobs.views.tables.leaderboard import print_leaderboard
    from tune_jobs.views.text import clean

    chosen = format_for(format_, output)
    found_run = find_run(run, storage)
    frame, problems = found_run.leaderboard_and_notes()
    if trade and preference:
        raise RequestError("Both --pareto and --best-by are given: the one shows all trades, the other chooses one.")
    if trade:
        frame = _front(found_run, trade)
    elif preference:
        frame = best_by(found_run, *preference)
    frame = frame if top is None else frame.head(top)
    for problem in problems:
        click.echo(f"note: {clean(problem)}", err=True)
    tables.put(frame, chosen, output, lambda console: print_leaderboard(console, frame, len(found_run.space.slots())))


def _front(run: Run, trade: tuple[str, ...]) -> pd.DataFrame:
    from trainables.settings import Mode
    from tune_jobs.analysis.pareto import pareto_front
    from tune_jobs.base.objective import Objective
    from tune_jobs.errors import RequestError

    if trade == ("",):
        return pareto_front(run)
    parts = [word.rpartition(":") for word in trade]
    wrong = [
        word for word, (column, _, mode) in zip(trade, parts, strict=True) if not column or mode not in get_args(Mode)
    ]
    if wrong:
        raise RequestError(
            *(f"The value of --pareto is {word!r}, but must be COLUMN:max or COLUMN:min." for word in wrong)
        )
    return pareto_front(run, [Objective(column, mode) for column, _, mode in parts])  # type: ignore[arg-type]


@click.command()
@options.storage
@options.diagnostics
def runs(storage: Path | str) -> None:
    """List the runs of the storage, the newest last."""
    from tune_jobs.results.find import list_runs
    from tune_jobs.views.tables.runs import print_runs
    from tune_jobs.views.text import clean

    found_runs = list_runs(storage, lambda error: click.echo(f"note: {clean(error)}", err=True))
    print_runs(console_of(sys.stdout), found_runs, storage)
