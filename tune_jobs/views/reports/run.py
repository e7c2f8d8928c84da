"""The summary of a run that is over: its leaderboard, its totals, its folder, the next commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from tune_jobs.analysis.sweep_path import is_swept
from tune_jobs.base.words import quantity
from tune_jobs.results import Ending
from tune_jobs.results.ranking import ranking
from tune_jobs.views.summary import best_text, next_commands, shown_folder, totals_text
from tune_jobs.views.tables.leaderboard import print_leaderboard
from tune_jobs.views.tables.printing import print_line, print_next
from tune_jobs.views.text import clean, note_text

if TYPE_CHECKING:
    from tune_jobs.results.run import Run

_NOTES = 5


def was_interrupted(run: Run) -> bool:
    """Return True if Ctrl-C ended the run."""
    return run.history().reason == Ending.INTERRUPTED


def print_outcome(console: Console, run: Run, top: int, storage: Path | str) -> bool:
    """Print the results of a run.

    Args:
        console: The output.
        run: The run. It is over.
        top: Number of rows of the leaderboard.
        storage: The storage that commands look into by default.

    Returns:
        True if it has a best trial.
    """
    history = run.history()
    ranked_trials = ranking(history, run.objective)
    best = ranked_trials[0] if ranked_trials and ranked_trials[0].rank else None
    console.print()
    print_leaderboard(console, run.leaderboard().head(top), len(run.space.slots()))
    console.print()
    if history.reason == Ending.INTERRUPTED:
        print_line(console, Text("Interrupted: what was finished is kept.", style="yellow"))
    print_line(console, Text(totals_text(history)))
    for note in history.notes[-_NOTES:]:
        print_line(console, Text.assemble(("note: ", "bold"), (note_text(note), "yellow")))
    if len(history.notes) > _NOTES:
        print_line(console, Text(f"      and {quantity(len(history.notes) - _NOTES, 'earlier note')} in the journal"))
    broken = run.objective.broken_words(best.best.metrics) if best and best.best else ""
    if broken:
        print_line(
            console, Text(f"No trial keeps the constraints. The nearest breaks this: {clean(broken)}.", "yellow")
        )
    if best:
        label = "near: " if broken else "best: "
        print_line(console, Text.assemble((label, "bold"), best_text(best, run.objective.metric)))
    else:
        print_line(console, Text(f"No trial has a finite {clean(run.objective.metric)}.", style="red"))
    print_line(console, Text.assemble(("run:  ", "bold"), clean(shown_folder(run.folder))))
    goes_on = history.reason in (Ending.INTERRUPTED, Ending.FAILED)
    has_best = best is not None and not broken
    commands = next_commands(run.folder, storage, interrupted=goes_on, swept=is_swept(run), ranked=has_best)
    print_next(console, commands)
    return best is not None
