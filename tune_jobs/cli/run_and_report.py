"""The common part of ``run`` and ``resume``: run trials and print the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from tune_jobs.cli import options
from tune_jobs.cli.exit_status import FAILED, INTERRUPTED
from tune_jobs.cli.screen import VERBOSE, console_of, own_stdout

if TYPE_CHECKING:
    from rich.console import Console

    from tune_jobs.loading.loader import Loaded


def carry_out(ctx: click.Context, loaded: Loaded, begin: Callable[..., Any], top: int) -> None:
    """Run trials, show their progress, print the leaderboard, and exit with the right status.

    Args:
        ctx: The context of the command.
        loaded: The experiment of the trials.
        begin: Runs the trials. It takes a ``reporter``, and returns the run.
        top: Number of rows of the leaderboard.
    """
    from tune_jobs.views.reports.run import print_outcome, was_interrupted

    with _carried_out(loaded, begin, top) as (console, run):
        ranked = print_outcome(console, run, top, options.default_storage())
    _exit(ctx, was_interrupted(run), ranked)


def carry_out_repeats(ctx: click.Context, loaded: Loaded, begin: Callable[..., Any]) -> None:
    """Run repeats, show their progress, print their table, and exit with the right status.

    Args:
        ctx: The context of the command.
        loaded: The experiment of the repeats.
        begin: Runs the repeats. It takes a ``reporter``, and returns their runs.
    """
    from tune_jobs.views.reports.repeats import print_repeats, were_interrupted

    with _carried_out(loaded, begin) as (console, runs):
        ranked = print_repeats(console, runs, options.default_storage())
    _exit(ctx, were_interrupted(runs), ranked)


@contextmanager
def _carried_out(loaded: Loaded, begin: Callable[..., Any], top: int = options.TOP) -> Iterator[tuple[Console, Any]]:
    """Yield the console and the result of ``begin``. Print the results of a run that failed before raising."""
    from tune_jobs.errors import RunFailed
    from tune_jobs.results.run import Run
    from tune_jobs.views.progress.choose import view_for
    from tune_jobs.views.reports.run import print_outcome

    with own_stdout() as stream:
        console = console_of(stream)
        view = view_for(console, redraw=not click.get_current_context().meta.get(VERBOSE, False))
        try:
            with loaded.in_its_folder():
                finished = begin(reporter=view)
        except RunFailed as failed:
            view.end()
            run = Run(failed.folder) if failed.folder else None
            if run is not None and run.history().trials:
                print_outcome(console, run, top, options.default_storage())
            raise
        finally:
            view.end()
        yield console, finished


def _exit(ctx: click.Context, interrupted: bool, ranked: bool) -> None:
    if interrupted:
        ctx.exit(INTERRUPTED)
    if not ranked:
        ctx.exit(FAILED)
