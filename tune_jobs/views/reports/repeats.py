"""The summary of repeats that are over: a row each, their quartiles, the next commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from tune_jobs.analysis.comparison.outcomes import Outcome, best_outcome, summarize_run
from tune_jobs.analysis.comparison.statistics import spread
from tune_jobs.results import Ending
from tune_jobs.views.summary import reference
from tune_jobs.views.tables.printing import new_table, print_line, print_next, print_table
from tune_jobs.views.text import clean, duration, number, score

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from tune_jobs.results.run import Run

# The figures of a repeat, each with the function that writes it.
_COLUMNS: tuple[tuple[Callable[[Outcome], float], Callable[[float], str]], ...] = (
    (lambda outcome: outcome.best, score),
    (lambda outcome: len(outcome.history.trials), number),
    (lambda outcome: outcome.trajectory.epochs, number),
    (lambda outcome: outcome.trajectory.seconds, duration),
)


def were_interrupted(runs: Sequence[Run]) -> bool:
    """Return True if Ctrl-C ended a group of repeats: during one of them, or before all had begun."""
    repeat = runs[0].repeat
    missing = repeat is not None and len(runs) < repeat.count
    return missing or runs[-1].history().reason == Ending.INTERRUPTED


def print_repeats(console: Console, runs: Sequence[Run], storage: Path | str) -> bool:
    """Print the results of the repeats of an experiment.

    Args:
        console: The output.
        runs: The repeats. They are over.
        storage: The storage that commands look into by default.

    Returns:
        True if any of them has a best trial.
    """
    outcomes = [summarize_run(run) for run in runs]
    with_best = [each for each in outcomes if each is not None]
    console.print()
    print_table(console, _table(runs, outcomes))
    console.print()
    if were_interrupted(runs):
        print_line(console, Text("Interrupted: what was finished is kept.", style="yellow"))
    if not with_best:
        print_line(
            console, Text(f"No repeat has a trial with a finite {clean(runs[0].objective.metric)}.", style="red")
        )
    print_next(console, _next_commands(runs, with_best, storage))
    return bool(with_best)


def _table(runs: Sequence[Run], outcomes: Sequence[Outcome | None]) -> Table:
    table = new_table()
    table.add_column("run", overflow="fold")
    for name in (clean(runs[0].objective.metric), "trials", "epochs", "elapsed"):
        table.add_column(Text(name), justify="right", overflow="fold")
    for run, each in zip(runs, outcomes, strict=True):
        row = ("-",) * len(_COLUMNS) if each is None else [write(value(each)) for value, write in _COLUMNS]
        table.add_row(*map(Text, (clean(run.name), *row)))
    with_best = [each for each in outcomes if each is not None]
    if len(with_best) > 1:
        spreads = [(spread([value(each) for each in with_best]), write) for value, write in _COLUMNS]
        table.add_row(Text("median"), *(Text(write(each.median)) for each, write in spreads), style="bold")
        table.add_row(
            Text("quartiles"), *(Text(f"{write(each.low)}, {write(each.high)}") for each, write in spreads), style="dim"
        )
    return table


def _next_commands(runs: Sequence[Run], with_best: Sequence[Outcome], storage: Path | str) -> list[str]:
    repeat = runs[0].repeat
    group = reference(runs[0].folder.with_name(repeat.of), storage) if repeat else ""
    commands = [f"tune-jobs resume {group}"] if were_interrupted(runs) else []
    if len(with_best) > 1:
        commands.append(f"tune-jobs compare {group} ANOTHER")
    if len(with_best) == len(runs):
        commands.append(f"tune-jobs evaluate {group}")
    if with_best:
        commands.append(f"tune-jobs leaderboard {reference(best_outcome(with_best).run.folder, storage)}")
    return commands
